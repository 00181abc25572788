/**
 * The hook program, bundled as hook.cjs: `hook.cjs <client> <home> [reply|exit|ask]` with the client's payload on
 * standard input. `reply` prints one reply for the hook script, which acts on it; `exit` acts on it itself; `ask`
 * asks the broker first and then acts (for systems whose shell cannot ask).
 * Nothing is imported up here that could fail: a crash before the first line of the try block would be a call let through.
 */
void (async () => {
  try {
    const { runHook } = await import('#hooks/runHook.ts');
    // Everything is written by then; an input that never ends must not keep the process.
    process.exit(await runHook(process.argv.slice(2), process.argv[1] ?? ''));
  } catch (error) {
    process.stderr.write(`Callgate's hook failed (${error instanceof Error ? error.message : String(error)}); call refused\n`);
    process.exitCode = 2;
  }
})();
