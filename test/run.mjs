// `npm test [tier…] [-- arguments for the last tier]`: sets a fresh clone up, then runs the tiers in order, stops at
// the first that fails and ends with a table and one line `N passed, N failed`.
//   check  types, lint, format    build  bundles and VSIX        unit  vitest, quick    faults  vitest, whole processes
//   host   inside the editor's extension host                    e2e   real editor, real agents, real browser
//   relay  conformance suite and real MCP servers, with and without the relay
//   bench  <name> [--json]: one of test/bench, on its own        eval  detection quality on third-party samples
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache, pinnedNode, repository, seconds } from './kit/installing.mjs';
import {
  continueWithPinnedNode,
  ensureAgents,
  ensureChromium,
  ensureEditor,
  ensureMcpClients,
  ensureNetcat,
  ensureServers,
  ensureToolchain,
} from './kit/setup.mjs';

const DEFAULT_TIERS = ['check', 'build', 'unit', 'faults', 'host', 'e2e', 'relay'];
const reports = join(cache, 'reports');
const bin = (name, script) => [join(repository, 'node_modules', name, script)];

/** A tier that is one of the projects in vitest.config.ts. */
function vitest(project) {
  const report = join(reports, `${project}.json`);
  return {
    needs: [ensureNetcat],
    commands: (extra) => [
      [
        'vitest',
        bin('vitest', 'vitest.mjs'),
        ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...extra],
      ],
    ],
    count: () => {
      const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
      return { passed: numPassedTests, failed: numFailedTests };
    },
  };
}

/** A tier that is a folder of node:test files, each a process of its own. */
function nodeTests(folder, title, needs) {
  const report = join(reports, `${folder}.tap`);
  return {
    needs,
    commands: (extra) => {
      const files =
        extra.length > 0
          ? extra
          : readdirSync(join(repository, 'test', folder))
              .filter((file) => file.endsWith('.test.ts'))
              .sort()
              .map((file) => `test/${folder}/${file}`);
      const reporters = [
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        '--test-reporter=tap',
        `--test-reporter-destination=${report}`,
      ];
      return files.length === 0 ? [] : [[title, ['--test'], ['--test-concurrency=1', '--test-timeout=600000', ...reporters, ...files]]];
    },
    count: () => {
      const text = readFileSync(report, 'utf8');
      const total = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
      return { passed: total('pass'), failed: total('fail') + total('cancelled') };
    },
  };
}

/** What a tier needs installed, the commands it runs, and how many tests its report counts. */
const TIERS = {
  check: {
    needs: [],
    commands: () => [
      ['types', bin('typescript', 'bin/tsc'), ['-b']],
      ['lint', bin('oxlint', 'bin/oxlint'), ['--type-aware', '--deny-warnings']],
      ['format', bin('oxfmt', 'bin/oxfmt'), ['--check']],
    ],
  },
  build: { needs: [], commands: () => [['bundles and VSIX', ['esbuild.mjs'], ['--vsix']]] },
  unit: vitest('unit'),
  faults: vitest('faults'),
  host: {
    needs: [ensureChromium, ensureEditor, ensureNetcat],
    commands: () => [['editor host', ['test/host/run.ts'], []]],
    count: () => JSON.parse(readFileSync(join(reports, 'host.json'), 'utf8')),
  },
  e2e: nodeTests('e2e', 'end to end', [ensureChromium, ensureNetcat, ensureEditor, ensureAgents, ensureMcpClients]),
  relay: nodeTests('relay', 'relay', [ensureNetcat, ensureServers]),
};

let child = null;
let interrupted = false;

/** Runs a command of a tier on the pinned Node in the terminal; its status, or 130 when a signal ended it. */
function runCommand([program, args], stdio = 'inherit') {
  child = spawn(pinnedNode, [...program, ...args], { cwd: repository, stdio });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      child = null;
      resolve(code ?? 130);
    });
  });
}

async function runTier(name, extra) {
  const tier = TIERS[name];
  const started = Date.now();
  const result = { name, passed: 0, failed: 0, time: '', note: '' };
  console.log(`\n── ${name} ${'─'.repeat(Math.max(3, 60 - name.length))}`);
  try {
    await Promise.all(tier.needs.map((need) => need()));
    const commands = tier.commands(extra);
    for (const [title, ...command] of commands) {
      const status = await runCommand(command);
      if (tier.count === undefined) result[status === 0 ? 'passed' : 'failed'] += 1;
      else Object.assign(result, countOf(tier));
      if (status === 0) continue;
      result.failed = Math.max(1, result.failed);
      result.note = `${title}: status ${status}`;
      break;
    }
    if (result.passed + result.failed === 0) Object.assign(result, { failed: 1, note: 'no test ran' });
  } catch (error) {
    console.error(error.message);
    Object.assign(result, { failed: Math.max(1, result.failed), note: error.message.split('\n')[0] });
  }
  result.time = seconds(started);
  console.log(`${name}: ${result.passed} passed, ${result.failed} failed in ${result.time}`);
  return result;
}

function countOf(tier) {
  try {
    const { passed, failed } = tier.count();
    return { passed, failed };
  } catch (error) {
    // A tier that ended without its report did not run to its end.
    return { passed: 0, failed: 1, note: `no report: ${error.message}` };
  }
}

/** With --json nothing but the bench's own output may reach stdout. */
async function runBench(name, args) {
  const script = `test/bench/${name}.ts`;
  if (name === undefined || !existsSync(join(repository, script))) {
    console.error(
      `Which bench? ${readdirSync(join(repository, 'test', 'bench'))
        .filter((file) => file.endsWith('.ts'))
        .map((file) => file.slice(0, -3))
        .join(', ')}`,
    );
    return 2;
  }
  await ensureNetcat();
  const built = await runCommand([['esbuild.mjs'], []], ['ignore', 2, 2]);
  return built === 0 ? runCommand([[script], args]) : built;
}

async function runTiers(names, extra) {
  const started = Date.now();
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  const results = [];
  for (const [index, name] of names.entries()) {
    results.push(await runTier(name, index === names.length - 1 ? extra : []));
    if (interrupted || results.at(-1).failed > 0) break;
  }
  console.log(`\n${'tier'.padEnd(8)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'time'.padStart(10)}`);
  for (const name of names) {
    const result = results.find((candidate) => candidate.name === name);
    const cells =
      result === undefined
        ? 'not run'.padStart(26)
        : `${String(result.passed).padStart(8)}${String(result.failed).padStart(8)}${result.time.padStart(10)}  ${result.note}`;
    console.log(`${name.padEnd(8)}${cells}`.trimEnd());
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`whole run: ${seconds(started)}${interrupted ? ', interrupted' : ''}\n${sum('passed')} passed, ${sum('failed')} failed`);
  if (interrupted) return 130;
  return sum('failed') > 0 ? 1 : 0;
}

async function main() {
  const given = process.argv.slice(2);
  await ensureToolchain();
  if (process.env.CALLGATE_PINNED !== '1') {
    process.env.CALLGATE_PINNED = '1';
    await continueWithPinnedNode(fileURLToPath(import.meta.url), given);
    return;
  }
  delete process.env.CALLGATE_PINNED;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      interrupted = true;
      // A terminal's Ctrl-C has reached the child already; being told twice does it no harm.
      child?.kill(signal);
    });
  }
  if (given[0] === 'bench') {
    process.exitCode = await runBench(given[1], given.slice(2));
    return;
  }
  if (given[0] === 'eval') {
    process.exitCode = await runCommand([['test/eval/eval.ts'], given.slice(1).filter((arg) => arg !== '--')]);
    return;
  }
  const cut = given.indexOf('--');
  const names = (cut < 0 ? given : given.slice(0, cut)).length === 0 ? DEFAULT_TIERS : given.slice(0, cut < 0 ? undefined : cut);
  const unknown = names.filter((name) => !Object.hasOwn(TIERS, name));
  if (unknown.length > 0) {
    console.error(`Unknown tier: ${unknown.join(', ')}. There are ${[...Object.keys(TIERS), 'bench', 'eval'].join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  process.exitCode = await runTiers(names, cut < 0 ? [] : given.slice(cut + 1));
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
