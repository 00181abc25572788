/** A journal of given events in a sandbox, and `callgate audit` over it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { AuditEvent } from '#contract/auditRecord.ts';
import type { RulePackJson } from '#core/detect/rulePack.ts';
import { openJournal } from '#home/journal/journal.ts';
import { audit } from '#node/cli/audit.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';
import { TEST_RULES } from '../../home/gateBox.ts';

export interface AuditBox extends Sandbox {
  readonly audit: (...args: readonly string[]) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

export function auditBox(events: readonly AuditEvent[], rules: RulePackJson = TEST_RULES): AuditBox {
  const box = sandbox();
  onTestFinished(() => box.remove());
  writeFileSync(join(box.folder, 'rules.json'), JSON.stringify(rules));
  const journal = openJournal(box.layout);
  for (let at = 0; at < events.length; at += 1000) journal.append(events.slice(at, at + 1000));
  journal.close();
  const run: AuditBox['audit'] = async (...args) => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const [out, err]: [string[], string[]] = [[], []];
    stdout.on('data', (chunk: Buffer) => out.push(chunk.toString()));
    stderr.on('data', (chunk: Buffer) => err.push(chunk.toString()));
    const { layout, folder: bundleFolder, work: cwd } = box;
    const host = {
      layout,
      version: '1.0.0',
      bundleFolder,
      cwd,
      env: {},
      platform: process.platform,
      stdin: new PassThrough(),
      stdout,
      stderr,
    };
    const code = await audit(args, host);
    await new Promise((resolve) => setImmediate(resolve));
    return { code, out: out.join(''), err: err.join('') };
  };
  return { ...box, audit: run };
}
