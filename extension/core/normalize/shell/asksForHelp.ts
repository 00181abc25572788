/** Commands that print how a program is used, whatever else they name. */
import { WRAPPERS } from '#core/normalize/shell/programs.ts';

/**
 * Programs whose `--help` counts wherever it stands after subcommands and names, as it does with the usual libraries for
 * subcommands. With others it may be an operand: BSD's `rm -rf x --help` removes both.
 */
const ANYWHERE: ReadonlySet<string> = new Set(
  'terraform tofu terragrunt kubectl oc helm gh glab docker podman docker-compose cargo rustup npm pnpm pip pip3 gcloud gsutil az doctl fly flyctl heroku pulumi cdk vault consul nomad packer argocd flux eksctl kind minikube k3d poetry uv hatch pdm twine gem bundle rails composer vercel netlify wrangler supabase firebase git aws sam eb ng go dotnet conda mamba snap flatpak systemctl journalctl nmcli multipass vagrant velero istioctl skaffold'.split(
    ' ',
  ),
);
/** Of those, the ones whose `-h` is the same. */
const SHORT: ReadonlySet<string> = new Set(
  'terraform tofu kubectl oc helm gh glab cargo npm pnpm pip pip3 az doctl fly flyctl pulumi vault poetry uv twine gem bundle argocd flux eksctl kind minikube git'.split(
    ' ',
  ),
);
/** What runs or reads its words may take a flag for a name. */
const RUNNERS =
  /^(?:(?:ba|z|da|k|c|tc|fi|mk|a|pw)?sh|eval|source|\.|trap|exit|return|coproc|python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|php[\d.]*|lua[\d.]*|osascript|powershell|cmd|awk|gawk|sed|find|make|gmake|just|task|npx|pnpx|bunx|uvx|pipx|echo|printf|test|\[)$/u;

/** What follows these is another program, which gets the words. */
const HANDS_ON =
  /^(?:exec|run|x|dlx|tool|create|start|test|debug|attach|ssh|runner|rsh|bisect|rebase|submodule|filter-branch|plugin|extension|cp)$/u;

export function asksForHelp(words: readonly string[]): boolean {
  const program = words[0] ?? '';
  const last = words.at(-1) ?? '';
  // A script or a program of one's own does what it likes with the word.
  if (words.length < 2 || words.length > 8 || !/^[a-z][\w.+-]{0,40}$/u.test(program)) return false;
  if (words.length === 2) return /^--(?:help|version|usage)$/u.test(last) && !WRAPPERS.has(program) && !RUNNERS.test(program);
  if (!ANYWHERE.has(program) || words.some((word) => HANDS_ON.test(word))) return false;
  // A flag before it might take it as its value.
  const at = words.findIndex((word) => word.startsWith('-'));
  if (at > 0) return words[at] === '--help' || (at === words.length - 1 && last === '-h' && SHORT.has(program) && words.length > 2);
  return program === 'aws' && last === 'help' && words.length <= 4;
}
