/** Packages a command installs or runs from a registry. Sources: the manuals of the package managers. */
import type { CommandField } from '#core/normalize/fields.ts';

interface Manager {
  /** What targets are written after: `npm:left-pad@1.0.0`. */
  readonly kind: string;
  /** Leading operands that install what follows. */
  readonly subcommand: RegExp;
  /** Only the first operand is a package, the rest is for the program in it. */
  readonly first?: true;
}

const NPM = /^(?:i|in|ins|inst|install|isntall|add|a|it|install-test|link)\b/u;
const PIP = /^(?:install|download|wheel)\b/u;
const SYSTEM = /^(?:install|in|add|reinstall|dist-upgrade|localinstall)\b/u;
const one = (kind: string, subcommand: RegExp): Manager => ({ kind, subcommand, first: true });
const many = (kind: string, subcommand: RegExp): Manager => ({ kind, subcommand });

const MANAGERS: ReadonlyMap<string, readonly Manager[]> = new Map([
  ['npm', [many('npm', NPM), one('npm', /^(?:exec|x)\b/u), one('npm-create', /^(?:create|init|innit)\b/u)]],
  ['npx', [one('npm', /^/u)]],
  ['pnpx', [one('npm', /^/u)]],
  ['bunx', [one('npm', /^/u)]],
  ['pnpm', [many('npm', NPM), one('npm', /^dlx\b/u), one('npm-create', /^create\b/u)]],
  ['yarn', [many('npm', /^(?:global add|add|workspace \S+ add)\b/u), one('npm', /^dlx\b/u), one('npm-create', /^create\b/u)]],
  ['bun', [many('npm', NPM), one('npm', /^x\b/u), one('npm-create', /^create\b/u)]],
  ['deno', [many('deno', /^(?:add|install)\b/u)]],
  ['pip', [many('pip', PIP)]],
  ['pipx', [many('pip', /^(?:install|inject|upgrade)\b/u), one('pip', /^run\b/u)]],
  ['uvx', [one('pip', /^/u)]],
  ['uv', [many('pip', /^(?:add|pip install|tool install)\b/u), one('pip', /^tool run\b/u)]],
  ['poetry', [many('pip', /^(?:add|self add)\b/u)]],
  ['pdm', [many('pip', /^add\b/u)]],
  ['rye', [many('pip', /^(?:add|install)\b/u)]],
  ['pipenv', [many('pip', /^install\b/u)]],
  ['easy_install', [many('pip', /^/u)]],
  ['conda', [many('conda', /^(?:install|create|env create)\b/u)]],
  ['mamba', [many('conda', /^(?:install|create)\b/u)]],
  ['micromamba', [many('conda', /^(?:install|create)\b/u)]],
  ['gem', [many('gem', /^(?:install|i)\b/u)]],
  ['bundle', [many('gem', /^add\b/u)]],
  ['cargo', [many('cargo', /^(?:install|add|binstall)\b/u)]],
  ['go', [many('go', /^(?:install|get)\b/u), one('go', /^run\b/u)]],
  ['brew', [many('brew', /^(?:install|reinstall|tap|cask install)\b/u)]],
  ['port', [many('port', /^install\b/u)]],
  ['apt', [many('apt', SYSTEM)]],
  ['apt-get', [many('apt', SYSTEM)]],
  ['aptitude', [many('apt', SYSTEM)]],
  ['dnf', [many('dnf', SYSTEM)]],
  ['yum', [many('dnf', SYSTEM)]],
  ['microdnf', [many('dnf', SYSTEM)]],
  ['zypper', [many('zypper', SYSTEM)]],
  ['apk', [many('apk', /^add\b/u)]],
  ['snap', [many('snap', /^install\b/u)]],
  ['flatpak', [many('flatpak', /^install\b/u)]],
  ['winget', [many('winget', /^(?:install|add)\b/u)]],
  ['choco', [many('choco', /^install\b/u)]],
  ['scoop', [many('scoop', /^install\b/u)]],
  ['composer', [many('composer', /^(?:require|global require)\b/u), one('composer', /^create-project\b/u)]],
  ['luarocks', [many('luarocks', /^install\b/u)]],
  ['cpan', [many('cpan', /^/u)]],
  ['cpanm', [many('cpan', /^/u)]],
  ['opam', [many('opam', /^install\b/u)]],
  ['nix', [many('nix', /^(?:profile install|profile add)\b/u), one('nix', /^(?:run|shell)\b/u)]],
  ['dotnet', [one('nuget', /^(?:tool install|add package|add \S+ package)\b/u)]],
  ['nuget', [many('nuget', /^install\b/u)]],
  ['install-module', [one('psgallery', /^/u)]],
  ['install-package', [one('psgallery', /^/u)]],
  ['helm', [many('helm', /^(?:repo add|plugin install)\b/u)]],
  ['gh', [one('gh', /^extension install\b/u)]],
  ['asdf', [many('asdf', /^plugin add\b/u)]],
  ['cordova', [many('npm', /^plugin add\b/u)]],
]);
const EDITORS = /^(?:code|code-insiders|cursor|codium|vscodium|windsurf|positron|code-server)$/u;

/** Flags of package managers that take a value; those values are no packages. */
const VALUED =
  /^(?:-[rcftCwRo]|--(?:registry|prefix|workspace|filter|dir|cwd|index-url|extra-index-url|index|default-index|find-links|trusted-host|requirement|requirements|constraint|target|python|source|version|git|branch|tag|rev|path|root|features|profile|group|group-id|extras|channel|name|file|manifest-path|package|with|from|repo|repository|allow|allowed-scope|cache-dir|timeout|proxy|platform|abi|call|target-release|env|id))$/u;
const REGISTRY =
  /^(?:--(?:registry|index-url|extra-index-url|index|default-index|find-links|source|repo|repository|channel)|-i|-f|-s|-c)$/u;
const REGISTRY_VARIABLE =
  /^(?:npm_config_registry|NPM_CONFIG_REGISTRY|YARN_REGISTRY|PIP_INDEX_URL|PIP_EXTRA_INDEX_URL|UV_INDEX_URL|UV_DEFAULT_INDEX|GOPROXY|CARGO_REGISTRY_DEFAULT)=(.{1,300})$/u;

/**
 * `kind:package`, the package as written with its version, address or folder; ` from registry` after it when one is named.
 * Packages that a lock file or manifest names are not here.
 */
export function installs(command: CommandField): readonly string[] {
  const { words, operands, assigns } = command;
  const program = /^pip[\d.]{1,6}$/u.test(command.program) ? 'pip' : command.program;
  const args = words.slice(1);
  if (EDITORS.test(program)) {
    return args.flatMap((arg, index) => {
      const id = args[index - 1] === '--install-extension' ? arg : /^--install-extension=(.{1,200})$/u.exec(arg)?.[1];
      return id === undefined ? [] : [`extension:${id}`];
    });
  }
  const line = operands.slice(0, 4).join(' ');
  const files = localPackages(program, args, operands);
  if (files !== null) return files;
  const manager = MANAGERS.get(program)?.find((candidate) => candidate.subcommand.test(line));
  if (!manager) return [];
  const skip = (manager.subcommand.exec(line)?.[0] ?? '').split(' ').filter((word) => word !== '').length;
  const registry = registryOf(program, args, assigns);
  const packages = packagesOf(program, args, skip, manager);
  return packages.map((name) => `${manager.kind}:${name}${registry === null ? '' : ` from ${registry}`}`);
}

function packagesOf(program: string, args: readonly string[], skip: number, manager: Manager): readonly string[] {
  const named = args.flatMap((arg, index) =>
    /^(?:-p|--package|--with|--from|--git)$/u.test(args[index - 1] ?? '')
      ? [arg]
      : [/^--(?:package|with|from|git)=(.{1,300})$/u.exec(arg)?.[1] ?? ''],
  );
  const operands: string[] = [];
  for (let index = 0; index < args.length && operands.length < 100; index++) {
    const arg = args[index] ?? '';
    if (VALUED.test(arg) || arg === '-p' || (arg === '-v' && program === 'gem') || short(program, arg)) index++;
    else if (!arg.startsWith('-')) {
      operands.push(arg);
      if (manager.first && operands.length > skip) break;
    } else if (arg === '--' && operands.length > skip) break;
  }
  const packages = operands.slice(skip).filter((name) => name !== '');
  const given = named.filter((name) => name !== '');
  return manager.first && given.length > 0
    ? given
    : manager.kind === 'go' && manager.first
      ? packages.filter((name) => name.includes('@'))
      : [...packages, ...given];
}

function registryOf(program: string, args: readonly string[], assigns: readonly string[]): string | null {
  for (const [index, arg] of args.entries()) {
    const joined = /^(--(?:registry|index-url|extra-index-url|index|default-index|find-links|source|repository))=(.{1,300})$/u.exec(arg);
    if (joined) return joined[2] ?? null;
    const next = args[index + 1];
    if (
      next !== undefined &&
      REGISTRY.test(arg) &&
      (arg.startsWith('--')
        ? !/^--(?:source|repo|repository)$/u.test(arg) || /^(?:gem|poetry|dotnet|nuget)$/u.test(program)
        : short(program, arg))
    )
      return next;
  }
  return assigns.map((assign) => REGISTRY_VARIABLE.exec(assign)?.[1]).find((value) => value !== undefined) ?? null;
}

const short = (program: string, flag: string): boolean =>
  (program === 'pip' && /^-[if]$/u.test(flag)) ||
  (program === 'gem' && flag === '-s') ||
  (/^(?:conda|mamba|micromamba)$/u.test(program) && flag === '-c');

/** Programs that install a file or address given to them; null when the command is none. */
function localPackages(program: string, args: readonly string[], operands: readonly string[]): readonly string[] | null {
  switch (program) {
    case 'dpkg':
      return args.some((arg) => /^(?:-i|--install)$/u.test(arg)) ? operands.map((name) => `apt:${name}`) : [];
    case 'rpm':
      return args.some((arg) => /^-[a-zA-Z]*[iUF]|^--(?:install|upgrade)$/u.test(arg)) && !args.some((arg) => /^-q|^--query/u.test(arg))
        ? operands.map((name) => `dnf:${name}`)
        : [];
    case 'pacman':
    case 'yay':
    case 'paru':
      return args.some((arg) => /^-[a-zA-Z]*[SU]/u.test(arg) && !/[qis]$/u.test(arg.replace(/^-S(?=yu?$)/u, '')))
        ? operands.map((name) => `pacman:${name}`)
        : [];
    case 'nix-env':
      return args.some((arg) => /^-i|^--install$|^-iA$/u.test(arg)) ? operands.map((name) => `nix:${name}`) : [];
    default:
      return null;
  }
}
