/** Comments in what is handed to database clients. */
import { programName } from '#core/normalize/shell/programNames.ts';

const SQL_CLIENT =
  /^(?:psql|pgcli|mysql|mariadb|mycli|sqlite3?|duckdb|sqlcmd|clickhouse(?:-client)?|cqlsh|snowsql|bq|sqlplus|usql|cockroach)$/u;

/** In SQL a comment separates words as a blank does; MySQL runs what stands in one that begins with an exclamation mark. */
export function withoutComments(words: readonly string[]): readonly string[] {
  if (!words.some((word) => word.includes('/*')) || !SQL_CLIENT.test(programName(words[0] ?? ''))) return words;
  return words.map((word) => word.replace(/\/\*!\d{0,6}|\/\*[^!*][^*]{0,400}\*\/|\/\*\*\/|\*\//gu, ' '));
}
