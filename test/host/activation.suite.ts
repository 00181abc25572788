/** The installed extension against its own manifest. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';

export const EXTENSION = 'callgate.callgate';

interface Setting {
  readonly scope?: string;
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly default?: unknown;
}

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly configuration:
      | { readonly properties: Readonly<Record<string, Setting>> }
      | readonly { readonly properties: Readonly<Record<string, Setting>> }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string; readonly type?: string }[]>>;
  };
}

export async function activated(): Promise<vscode.Extension<unknown>> {
  const extension = vscode.extensions.getExtension(EXTENSION);
  assert.ok(extension, `${EXTENSION} is not installed`);
  await extension.activate();
  return extension;
}

function manifestOf(extension: vscode.Extension<unknown>): Manifest {
  return extension.packageJSON as Manifest;
}

function settingsOf(manifest: Manifest): [string, Setting][] {
  const { configuration } = manifest.contributes;
  return ('properties' in configuration ? [configuration] : configuration).flatMap(({ properties }) => Object.entries(properties));
}

suite('The installed extension', () => {
  let extension: vscode.Extension<unknown>;
  suiteSetup(async () => {
    extension = await activated();
  });

  test('activates without an error', () => assert.equal(extension.isActive, true));

  test('runs from its own package, not from the repository', () =>
    assert.match(extension.extensionPath, /extensions[/\\]callgate\.callgate-/));

  test('registers every command of its manifest', async () => {
    const registered = new Set(await vscode.commands.getCommands(true));
    const wanted = manifestOf(extension).contributes.commands.map(({ command }) => command);
    assert.ok(wanted.length > 0);
    assert.deepEqual(
      wanted.filter((command) => !registered.has(command)),
      [],
    );
  });

  test('declares machine settings with a default and a description', () => {
    const settings = settingsOf(manifestOf(extension));
    assert.ok(settings.length > 0);
    for (const [name, setting] of settings) {
      // A workspace must not be able to loosen the gate.
      assert.match(setting.scope ?? 'window', /^(machine|application)$/, `${name} has the scope ${String(setting.scope)}`);
      assert.ok((setting.description ?? setting.markdownDescription ?? '').length > 10, `${name} has no description`);
      assert.deepEqual(vscode.workspace.getConfiguration().inspect(name)?.defaultValue, setting.default, name);
    }
  });

  test('shows its panel when asked', async () => {
    const views = Object.values(manifestOf(extension).contributes.views)
      .flat()
      .filter(({ type }) => type === 'webview');
    assert.ok(views.length > 0);
    for (const { id } of views) await vscode.commands.executeCommand(`${id}.focus`);
  });
});
