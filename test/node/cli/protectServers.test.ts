/** MCP files on the command line: what is found, choosing among their servers, and giving them back. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import type { Command } from '#node/cli/command.ts';
import { protect, status, unprotect } from '#node/cli/protect.ts';
import { sandbox, type Sandbox } from '#kit/sandbox.ts';

const boxes: Sandbox[] = [];
afterEach(() => boxes.splice(0).forEach((box) => box.remove()));

async function run(box: Sandbox, command: Command, ...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const streams = { stdin: new PassThrough(), stdout, stderr };
  const { layout, folder, work } = box;
  const code = await command(args, {
    layout,
    version: '1',
    bundleFolder: folder,
    cwd: work,
    env: {},
    platform: process.platform,
    ...streams,
  });
  const text = (stream: PassThrough): string => ((stream.read() as Buffer | null) ?? '').toString();
  return { code, out: text(stdout), err: text(stderr) };
}

function installed(): Sandbox {
  const box = sandbox();
  boxes.push(box);
  mkdirSync(box.layout.bin, { recursive: true });
  writeFileSync(join(box.layout.bin, 'launcher.json'), JSON.stringify({ v: 1, version: '1', runtime: '/x', asker: { kind: 'none' } }));
  return box;
}

test("a project's names write nothing of their own on the terminal where its plan is shown", async () => {
  const box = installed();
  const evil = '\u001b[2J\u202Ex\nNothing was changed.\r';
  const file = box.write(
    '.mcp.json',
    JSON.stringify({ mcpServers: { [evil]: { command: evil }, [`${evil}2`]: { type: evil, url: 'https://h.example' } } }),
  );
  const shown = await run(box, status);
  const planned = await run(box, protect, `mcp:${file}`);
  const refused = await run(box, protect, `mcp:${file}`, '--server', 'none');
  for (const { out, err } of [shown, planned, refused]) {
    expect(out + err).not.toMatch(/[\u001b\u202E\r]|^Nothing was changed\.\s*$/m);
  }
  expect(planned.out).toContain('\\e[2J');
});

test('status says what stays as it is, protect takes one server or all, unprotect gives back', async () => {
  const box = installed();
  const text = JSON.stringify({
    mcpServers: { a: { command: 'x' }, 'b c': { command: 'y' }, d: { url: 'https://h.example', headersHelper: 'z' } },
  });
  const file = join(box.home, '.copilot', 'mcp-config.json');
  mkdirSync(dirname(file));
  writeFileSync(file, text);
  const id = `mcp:${file}`;
  const shown = await run(box, status);
  expect(shown.out).toContain(`unprotected  ${id}  (Copilot CLI (mcp-config.json), ${file})`);
  expect(shown.out).toContain('"d" stays as it is: a program of the client makes its headers');

  const planned = await run(box, protect, id, '--server', 'b c');
  expect(planned).toMatchObject({ code: 0, out: expect.stringContaining(`callgate protect ${id} --server 'b c' --yes`) as string });
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(await run(box, protect, id, '--server', 'b c', '--yes')).toMatchObject({ code: 0, err: '' });
  const servers = (): Record<string, { command?: string }> =>
    (JSON.parse(readFileSync(file, 'utf8')) as { mcpServers: Record<string, { command?: string }> }).mcpServers;
  expect([servers()['a']?.command, servers()['b c']?.command]).toEqual(['x', join(box.layout.bin, 'callgate-mcp')]);
  expect(await run(box, protect, id, '--server')).toMatchObject({ code: 2, err: expect.stringMatching(/^usage/) as string });
  expect(await run(box, protect, id, '--server', 'none', '--yes')).toMatchObject({
    code: 1,
    err: expect.stringContaining('there is no server "none"') as string,
  });
  expect(await run(box, protect, id, '--yes')).toMatchObject({ code: 0 });
  expect(servers()['a']?.command).toBe(join(box.layout.bin, 'callgate-mcp'));
  expect(await run(box, unprotect, id)).toMatchObject({ code: 0 });
  expect(readFileSync(file, 'utf8')).toBe(text);
});
