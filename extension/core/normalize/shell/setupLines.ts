/**
 * Lines that programs tell their users to add to a shell's startup file: search paths, completions, `eval "$(tool init)"`.
 * They run nothing that was not installed before. Anything else added there is told as it is.
 */
const NAME = '[A-Za-z_][A-Za-z0-9_]{0,60}';
/** Below the home folder, where systems install, or a variable; never a folder others can write to. */
const FOLDER = String.raw`(?:~|\$HOME|\$\{HOME\}|\$\(brew --prefix\)|/(?:usr|opt|home|Users|snap|nix|Library|Applications|root/\.)|\$\{?${NAME}\}?)(?:/[\w.@+ -]{1,80}|/\$\{?${NAME}\}?){0,12}/?`;
const TOOLS =
  'pyenv|pyenv-virtualenv|rbenv|nodenv|jenv|goenv|tfenv|direnv|starship|zoxide|fnm|mise|rtx|asdf|opam|brew|gh|glab|kubectl|helm|kind|minikube|k3d|flux|argocd|oc|eksctl|stern|k9s|docker|podman|npm|pnpm|yarn|bun|deno|uv|uvx|poetry|pdm|hatch|pipx|pip|pip3|conda|mamba|micromamba|register-python-argcomplete|rustup|cargo|atuin|fzf|thefuck|navi|mcfly|oh-my-posh|dircolors|lesspipe|luarocks|swiftly|volta|proto|devbox|nix|op|chezmoi|just|task|terraform|tofu|aws_completer|vault|nomad|consul|packer|gcloud|az|doctl|flyctl|fly|heroku|ng|gh-copilot|github-copilot-cli|codex|claude|tailscale|wezterm|kitty|keychain|ssh-agent|zellij|carapace|sheldon|antidote|hcloud|skaffold|kustomize|cilium|istioctl|linkerd|operator-sdk|cmctl|velero|talosctl|bw|rclone|restic|hugo|dagger|earthly|act|tea|buf|golangci-lint|goreleaser|ko|crane|cosign|trivy|syft|grype';
const TOOL = String.raw`(?:(?:~|\$HOME|/home/[\w.-]{1,40}|/opt|/usr|/home/linuxbrew)(?:/[\w.-]{1,40}){1,6}/)?(?:${TOOLS})(?: [\w@=:./,+-]{1,40}){0,5}`;
/** Programs a shorter name may stand for. A name that already is another program's would catch what is typed for that. */
const SHORT =
  '(?:[a-z]{1,3}|ll|la|cls|vi|python|pip|dc|dco|tf|kctl|kns|kctx|gst|gco|please|reload|cat|ls|grep|egrep|fgrep|diff|top|df|du|vim|code)';
const ALIASED =
  '(?:ls|lsd|eza|exa|cd|git|kubectl|kubecolor|kubectx|kubens|docker|docker compose|docker-compose|podman|terraform|tofu|python3?|python3\\.\\d{1,2}|pip3?|nvim|vim|bat|batcat|grep|rg|diff|colordiff|make|npm|pnpm|yarn|bun|clear|history|code|code-insiders|cursor|htop|btop|df|du|ip|helm|minikube|tree|source)';
const RUNS_CODE =
  /^(?:LD_|DYLD_|HIST|TMOUT|BASH_ENV|ENV=|PROMPT_COMMAND|PS[0-4]=|PYTHON(?:STARTUP|PATH|HOME)|NODE_OPTIONS|NODE_PATH|PERL5|RUBY(?:OPT|LIB)|JAVA_TOOL|_JAVA|JDK_JAVA|GIT_|SSH_|SUDO_|EDITOR=|VISUAL=|PAGER=|LESSOPEN|LESSCLOSE|MANPAGER|BROWSER=|IFS=|SHELL|BASHOPTS|SHELLOPTS|ZDOTDIR|GCONV|MALLOC|.{0,60}(?:_PROXY|_proxy|_URL|_HOST|_INDEX|_REGISTRY|_CERT|_CA|_BUNDLE|_ENDPOINT)=)/u;

const VALUE = String.raw`(?:${FOLDER}|[\w.,@%+=-]{0,80}|\$\(tty\)|\$\(go env GOPATH\)(?:/bin)?)`;
const SEARCHED = String.raw`(?:"?(?:${FOLDER}|\$\(go env GOPATH\)/bin|\$PATH|\$\{PATH\}|\$\{PATH:\+:\$\{?PATH\}?\})"?)(?::(?:"?(?:${FOLDER}|\$\(go env GOPATH\)/bin|\$PATH|\$\{PATH\})"?)){0,8}`;
const READ = String.raw`(?:source|\.|\\\.)\s{1,3}"?(?:(?:~|\$HOME|\$\{HOME\}|/home/[\w.-]{1,40})/\.(?:cargo/env|nvm/nvm\.sh|sdkman/bin/sdkman-init\.sh|fzf\.(?:bash|zsh)|asdf/(?:asdf\.sh|completions/asdf\.bash)|ghcup/env|rye/env|local/bin/env|bash_aliases|bash_completion|deno/env|rvm/scripts/rvm|travis/travis\.sh|iterm2_shell_integration\.(?:bash|zsh)|p10k\.zsh|oh-my-zsh/oh-my-zsh\.sh)|\$NVM_DIR/(?:nvm\.sh|bash_completion)|\$ZSH/oh-my-zsh\.sh|/usr/(?:local/)?share/[\w./+-]{1,120}|/etc/bash_completion(?:\.d/[\w.-]{1,60})?|/opt/homebrew/(?:opt|share|etc)/[\w./@+-]{1,120}|\$\(brew --prefix[\w@./ -]{0,40}\)/[\w./@+-]{1,120}|/opt/ros/[\w-]{1,30}/setup\.(?:bash|zsh))"?`;
const TEST = String.raw`(?:\[{1,2} (?:! )?-[sfrdzn] "?[\w$~/.{}@-]{1,120}"? \]{1,2}|command -v [\w-]{1,40} (?:>/dev/null(?: 2>&1)?|&>\s?/dev/null)) && `;

const ORDINARY: readonly RegExp[] = [
  /^#[^\n]{0,400}$/u,
  new RegExp(String.raw`^(?:export |declare -x )?PATH=['"]?${SEARCHED}['"]?$`, 'u'),
  new RegExp(String.raw`^(?:export )?(?!PATH=|path=|IFS=)${NAME}=['"]?${VALUE}['"]?$`, 'u'),
  new RegExp(String.raw`^alias ${SHORT}=['"]?${ALIASED}(?: [\w ./=~-]{0,60})?['"]?$`, 'u'),
  new RegExp(String.raw`^(?:${TEST})?eval "?(?:\$\(${TOOL}\)|\x60${TOOL}\x60)"?$`, 'u'),
  new RegExp(String.raw`^(?:${TEST})?(?:source|\.) <\(${TOOL}\)$`, 'u'),
  new RegExp(String.raw`^(?:${TEST})?${READ}$`, 'u'),
  new RegExp(String.raw`^${TOOL} \| source$`, 'u'),
  new RegExp(String.raw`^complete (?:-o \w{1,12} |-[FC] ['"]?[\w/.~$-]{1,80}['"]? ){1,4}[\w-]{1,40}$`, 'u'),
  /^(?:fpath|FPATH)\+?=\(?[\w ~$/.{}:"-]{1,200}\)?$/u,
  /^(?:autoload (?:-U|-Uz|-U \+X) (?:compinit|bashcompinit|promptinit|colors)(?: && (?:compinit|bashcompinit|promptinit|colors)(?: -[iuC])?)?|compinit(?: -[iuC])?|bashcompinit)$/u,
  /^(?:set -o (?:vi|emacs|noclobber|ignoreeof)|setopt [\w ]{1,200}|shopt -s [\w ]{1,100}|bindkey -[ev]|umask 0?[0-7]{2,3}|ulimit -[a-zA-Z] \w{1,12}|stty -ixon|plugins=\([\w -]{1,200}\)|ZSH_THEME="[\w/-]{1,40}"|nvm use (?:--\w{1,20} )?[\w.-]{1,20}(?: >\s?\/dev\/null)?|conda activate [\w.-]{1,40}|fish_add_path [\w$~/.-]{1,120})$/u,
];

const MAX_LINES = 40;

/** Whether every line of `text` is such a line, and there is one. More than is read counts as no. */
export function addsSetupLines(text: string): boolean {
  if (text.length > 8192) return false;
  const lines = text
    .split(/\\n|\n/u)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (
    lines.length > 0 &&
    lines.length <= MAX_LINES &&
    lines.every((line) => !RUNS_CODE.test(line.replace(/^(?:export|declare -x) /u, '')) && ORDINARY.some((regex) => regex.test(line)))
  );
}

/** Files that a shell reads when it starts. */
export const STARTUP_FILE =
  /(?:^|\/)\.(?:bashrc|bash_profile|bash_login|profile|zshrc|zshenv|zprofile|zlogin|bash_aliases)$|\/config\.fish$/u;
