/** Gathers the fields of one call under its bounds. The only mutable thing in the normalizer. */
import type { Access, FieldName, PathTrait } from '#core/detect/rulePack.ts';
import type { CommandField, EffectField, EngineNote, Fields, PathField, Place, Span, TextField, UrlField } from '#core/normalize/fields.ts';
import { newDecodeBudget } from '#core/normalize/decode.ts';
import { disguisesIn } from '#core/normalize/undisguise.ts';
import { MAX_EFFECTS, MAX_PATHS, MAX_SEARCHED, MAX_URLS } from '#core/normalize/limits.ts';
import { readPath, sideOf, type PathContext } from '#core/normalize/path.ts';
import { guessedNames } from '#core/normalize/globs.ts';
import { newShellState, type ShellState } from '#core/normalize/shell/syntax.ts';
import { fold, originalSpan, type Folded } from '#core/normalize/unicode.ts';
import { readUrl, urlsIn } from '#core/normalize/url.ts';

export interface Collector {
  readonly paths: PathContext;
  readonly shell: ShellState;
  /** Folds `text` and adds it, with what is encoded or hidden in it, as a text of `field`. */
  text(field: FieldName, at: string, text: string): Folded;
  /** Adds text that does not stand in the arguments as such; `span` is where it came from. */
  derived(field: FieldName, place: Place, text: string): void;
  /** `folder`: where the path is read from when it is relative; by default where the call runs. */
  path(place: Place, written: string, access: Access, folder?: string, how?: PathTrait): readonly PathField[];
  url(place: Place, written: string): UrlField | null;
  urls(field: Folded, at: string): void;
  command(command: CommandField): void;
  effect(effect: EffectField): void;
  note(note: EngineNote): void;
  fields(): Fields;
}

export function newCollector(context: PathContext): Collector {
  const texts: TextField[] = [];
  const commands: CommandField[] = [];
  const paths: PathField[] = [];
  const urls: UrlField[] = [];
  const effects: EffectField[] = [];
  const notes: EngineNote[] = [];
  const decoding = newDecodeBudget();
  /** The forms of the folder the call works in; resolved with the first path. */
  let workspace: readonly string[] | null = null;

  let searched = MAX_SEARCHED;
  const search = (text: TextField): void => {
    searched -= text.text.length;
    if (searched >= 0) texts.push(text);
    else self.shell.troubles.add('too-long');
  };

  const self: Collector = {
    paths: context,
    shell: newShellState(context.home, context.cwd),
    text(field, at, text) {
      const folded = fold(text);
      search({ field, at, span: null, text: folded.text, offsets: folded.offsets, derived: false });
      if (folded.offsets !== null || text.includes('\u001b')) search({ field: 'raw', at, span: null, text, offsets: null, derived: false });
      for (const found of disguisesIn(text, folded, decoding)) {
        const place = { at, span: found.span };
        if (found.plain !== null) self.derived(found.field ?? field, place, found.plain);
        if (found.how !== null) self.derived('disguise', place, `${found.how}\n${found.plain ?? found.words}`);
      }
      if (decoding.spent) self.shell.troubles.add('too-much-encoded');
      return folded;
    },
    derived(field, place, text) {
      search({ field, ...place, text: fold(text).text, offsets: null, derived: true });
    },
    path(place, written, access, folder = context.cwd, how) {
      if (paths.length >= MAX_PATHS) {
        self.shell.troubles.add('too-many');
        return [];
      }
      const { forms, traits: manner } = readPath(written, folder === context.cwd ? context : { ...context, cwd: folder });
      workspace ??= context.cwd === '' ? [] : readPath(context.cwd, context).forms;
      const lies = sideOf(forms[0] ?? '', workspace, context);
      const known: ReadonlySet<PathTrait> = lies === null ? manner : new Set([...manner, lies]);
      const traits: ReadonlySet<PathTrait> = how === undefined ? known : new Set([...known, how]);
      const found = [...new Set(forms.flatMap((form) => [form, ...guessedNames(form)]))].map((text): PathField => ({
        ...place,
        text,
        access,
        traits,
      }));
      paths.push(...found);
      return found;
    },
    url(place, written) {
      if (urls.length >= MAX_URLS) {
        self.shell.troubles.add('too-many');
        return null;
      }
      const url = readUrl(written, place);
      if (url) {
        urls.push(url);
        if (url.scheme === 'file') self.path(place, url.href, 'read');
      }
      return url;
    },
    urls(folded, at) {
      for (const hit of urlsIn(folded.text, MAX_URLS)) self.url({ at, span: originalSpan(folded.offsets, hit.start, hit.end) }, hit.text);
    },
    command(command) {
      commands.push(command);
    },
    effect(effect) {
      if (effects.length >= MAX_EFFECTS) self.shell.troubles.add('too-many');
      else effects.push(effect);
    },
    note(note) {
      notes.push(note);
    },
    fields: () => ({ texts, commands, paths, urls, effects, notes }),
  };
  return self;
}

/** Where a stretch of folded text stands in the arguments. */
export function placeOf(at: string, folded: Folded, span: Span): Place {
  return { at, span: originalSpan(folded.offsets, span.start, span.end) };
}
