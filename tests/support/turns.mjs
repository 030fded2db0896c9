/**
 * Preloaded into a program (`node --import`): at its end it writes to the file in TURNS_FILE how much of the processor its main
 * thread has used at most, in seconds, between two turns of the event loop. Nothing can stop a program in between. Linux only.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['TURNS_FILE'];
if (isMainThread && file !== undefined) {
  // proc(5): the time that the thread has run, in nanoseconds. Other threads of the process are not the loop.
  const used = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
  let [last, longest] = [used(), 0];
  const turn = () => {
    const now = used();
    if (now - last > longest) longest = now - last;
    last = now;
  };
  setInterval(turn, 5).unref();
  process.on('exit', () => {
    turn();
    writeFileSync(file, String(longest / 1e9));
  });
}
