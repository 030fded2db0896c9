"""WordPiece by Python's tokenizers on the texts of bench/text.ts: seconds, and all ids as one number, as JSON."""
import json
import sys
import time

from tokenizers import BertWordPieceTokenizer

vocabulary, texts = sys.argv[1:3]
texts = json.load(open(texts, encoding="utf8"))
tokenizer = BertWordPieceTokenizer(vocabulary, lowercase=True)
tokenizer.enable_truncation(512)
started = time.perf_counter()
ids = [tokenizer.encode(text).ids for text in texts]
seconds = time.perf_counter() - started
total = 7
for one in ids:
    for i, number in enumerate(one):
        total = (total * 31 + number * (i + 1)) % 2147483647
print(json.dumps({"seconds": seconds, "sum": total}))
