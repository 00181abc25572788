/**
 * The hook, bundled as hook.cjs: `hook.cjs <client> <home> [reply|exit|ask]` with the client's payload on
 * standard input. `reply` prints one reply for the hook script, which acts on it; `exit` acts on it itself; `ask`
 * asks the broker first and then acts (for systems whose shell cannot ask).
 * Nothing is imported up here that could fail: a crash before the first line of the try block would be a call let through.
 */
import type * as Program from '#hooks/runHook.ts';

void (async () => {
  try {
    const file = process.argv[1] ?? '';
    const { startProgram } = await import('#hooks/startProgram.ts');
    const { exports, keepCode } = startProgram(file, require);
    const { rehearse, runHook } = exports as typeof Program;
    const { status, judged } = await runHook(process.argv.slice(2), file);
    // The answer is out by now, and a call that was judged has run most of what the next one needs.
    if (judged) await keepCode(() => rehearse(process.argv.slice(2), file));
    // Everything is written by then; an input that never ends must not keep the process.
    process.exit(status);
  } catch (error) {
    process.stderr.write(`Callgate's hook failed (${error instanceof Error ? error.message : String(error)}); call refused\n`);
    process.exitCode = 2;
  }
})();
