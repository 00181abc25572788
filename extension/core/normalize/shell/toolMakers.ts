/** Downloads that come straight from the maker of a well-known tool, as its own page says to install it. */
import type { CommandField } from '#core/normalize/fields.ts';

/** Sites where only the maker publishes. */
const SITES: ReadonlySet<string> = new Set(
  `sh.rustup.rs static.rust-lang.org get.docker.com astral.sh bun.sh bun.com deno.land deno.com install.python-poetry.org pyenv.run get.k3s.io
  get.rke2.io ollama.com get.sdkman.io fly.io claude.ai starship.rs get.pnpm.io deb.nodesource.com rpm.nodesource.com get.helm.sh get.volta.sh
  fnm.vercel.app mise.run mise.jdx.dev nixos.org install.determinate.systems get.jetify.com get.pulumi.com tailscale.com foundry.paradigm.xyz
  get.haskellup.org get-ghcup.haskell.org dot.net builds.dotnet.microsoft.com sdk.cloud.google.com cli.codecov.io codecov.io
  uploader.codecov.io repo.anaconda.com micro.mamba.pm micromamba.snakepit.net install.julialang.org get.sentry.io getcomposer.org
  get.rvm.io cursor.com dl.dagger.io get.okteto.com get.tur.so bootstrap.pypa.io setup.atuin.sh install.duckdb.org wasmtime.dev
  get.wasmer.io moonrepo.dev get.nexte.st taskfile.dev just.systems get.arkade.dev run.linkerd.io get.scala-cli.org cli.doppler.com
  packages.microsoft.com codeclimate.com elan.lean-lang.org opam.ocaml.org apt.llvm.org coverage.codacy.com crates.io go.dev dl.google.com
  releases.hashicorp.com cpanmin.us install.perlbrew.pl sentry.io dl.k8s.io kind.sigs.k8s.io`.split(/\s+/u),
);
/** Accounts of a shared host: `owner/` for all of an owner, `owner/repository` for one. */
const OWNERS: ReadonlySet<string> = new Set(
  `nvm-sh/nvm creationix/nvm homebrew/install helm/ ohmyzsh/ohmyzsh robbyrussell/oh-my-zsh golangci/golangci-lint k3d-io/k3d rancher/k3d
  kubernetes-sigs/ kubernetes/ anchore/ aquasecurity/ junegunn/ asdf-vm/ cli/ docker/ mamba-org/ pyenv/ rbenv/ starship/ ajeetdsouza/ fluxcd/
  argoproj/ goreleaser/ reviewdog/ tfutils/ terraform-linters/ bridgecrewio/ rhysd/actionlint dotnet/ python-poetry/ rust-lang/ cargo-bins/
  pre-commit/ microsoft/ hashicorp/ azure/ aws/ googlecloudplatform/ github/ git-lfs/ vercel/ oven-sh/ denoland/ astral-sh/ jdx/ nektos/
  go-task/ casey/ composer/ rvm/ sdkman/ pypa/ nodesource/ tj/n haskell/ ocaml/ leanprover/ dagger/ grafana/ cloudflare/ mikefarah/ jqlang/
  stedolan/ wasmerio/ bytecodealliance/ moonrepo/ scala-cli/ coursier/ gradle/ jenkinsci/ circleci-public/ codecov/ open-policy-agent/
  hadolint/ koalaman/ mvdan/ sigstore/ slsa-framework/ ko-build/ google/ bazelbuild/ nixos/ direnv/ twpayne/chezmoi zplug/ zdharma-continuum/ tmux-plugins/ neovim/ vim/`.split(
    /\s+/u,
  ),
);
/** Whoever answers is not the site: another way there, or nobody looks who it is. */
const OTHER_WAY =
  /^(?:-[a-zA-Z]{0,8}[kxK]|--(?:insecure|proxy|preproxy|socks\w{1,9}|config|resolve|connect-to|doh-url|unix-socket|abstract-unix-socket|no-check-certificate|ca-certificate|cacert|capath|execute|input-file|base|next|parallel)|-e|-i|-:|-Z)(?:=|$)/u;

export function isFromMaker(command: CommandField): boolean {
  const url = command.urls[0];
  if (!/^(?:curl|wget)$/u.test(command.program) || command.urls.length !== 1 || url === undefined) return false;
  if (url.scheme !== 'https' || url.userinfo !== '' || (url.port !== '' && url.port !== '443')) return false;
  if (command.assigns.length > 0 || command.words.some((word) => OTHER_WAY.test(word))) return false;
  if (SITES.has(url.host)) return true;
  const [owner = '', repository = '', ref = ''] = url.path.toLowerCase().replace(/^\//u, '').split('/');
  // A commit of anybody's fork is served under the name of the repository it was forked from.
  if (/^[0-9a-f]{7,64}$/u.test(ref) || url.path.includes('/refs/pull')) return false;
  const shared =
    url.host === 'raw.githubusercontent.com' ||
    (url.host === 'github.com' && /^\/[^/]{1,60}\/[^/]{1,100}\/releases\/(?:latest\/)?download\//u.test(url.path));
  if (shared) return OWNERS.has(`${owner}/`) || OWNERS.has(`${owner}/${repository}`);
  return url.host === 'packagecloud.io' && url.path.startsWith('/install/repositories/github/');
}
