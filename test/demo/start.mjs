// `npm start [-- --headless]`: sets a fresh clone up and opens the demo. Plain JavaScript: nothing is installed yet.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { continueWithPinnedNode, ensureToolchain } from '../kit/setup.mjs';

try {
  await ensureToolchain();
  await continueWithPinnedNode(join(dirname(fileURLToPath(import.meta.url)), 'main.ts'), process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
