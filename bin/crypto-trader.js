#!/usr/bin/env node
// React and Ink read this when they load: without it they run their development build, which leaks.
process.env.NODE_ENV ??= 'production';

const { main } = await import('../dist/cli/main.js');
await main(process.argv);
