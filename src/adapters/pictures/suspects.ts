// Pictures that were being decoded when a process died: read one at a time, until they are acquitted or not decoded any more.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Logger } from '../../telemetry.ts'
import { unseen, type UnseenPicture } from './messages.ts'

export interface Suspects {
  has(sha256: string): boolean
  /** What is said of one that ended the process again and again; undefined: it is read. */
  refused(sha256: string): UnseenPicture | undefined
  /** What a dead process had in hand, and whether it was read as a suspect. */
  accuse(pictures: ReadonlyMap<string, { readonly suspected: boolean }>): void
  /** It was read to its end. */
  acquit(sha256: string): void
  close(): void
}

/**
 * As a suspect, so after another death: a deploy meets a harmless picture in its milliseconds once, and each reading to
 * the end acquits. It is also what supervisors bear: systemd gives up at the fifth start within ten seconds.
 */
const MOST_DEATHS = 3
/** Then it is tried once more: the libraries may be others by then. So one picture costs a death a week at most. */
const REFUSED_MS = 7 * 86_400_000
/** The latest; a row is a hundred bytes, and a death adds one for each thread at most. */
const REMEMBERED = 1_000
/** Others who start at the same time hold the table for milliseconds. */
const OTHERS_MS = 1_000

/** In a file that processes share: whoever starts next learns of the dead, whichever process that was. */
export function openSuspects(directory: string, logger: Logger): Suspects {
  const database = new DatabaseSync(join(directory, 'suspects.sqlite'), { timeout: OTHERS_MS })
  database.exec(
    'CREATE TABLE IF NOT EXISTS suspects (sha256 TEXT PRIMARY KEY, deaths INTEGER NOT NULL, at INTEGER NOT NULL) STRICT',
  )
  const known = database.prepare('SELECT sha256 FROM suspects').all()
  // Looked up for every picture, and nearly always empty.
  const names = new Set(known.map(({ sha256 }) => String(sha256)))
  const find = database.prepare('SELECT deaths, at FROM suspects WHERE sha256 = ?')
  const blame = database.prepare(
    `INSERT INTO suspects VALUES (?, ?, ?)
     ON CONFLICT (sha256) DO UPDATE SET deaths = deaths + excluded.deaths, at = excluded.at RETURNING deaths`,
  )
  const forget = database.prepare(
    'DELETE FROM suspects WHERE sha256 NOT IN (SELECT sha256 FROM suspects ORDER BY at DESC LIMIT ?)',
  )
  const clear = database.prepare('DELETE FROM suspects WHERE sha256 = ?')

  return {
    has: (sha256) => names.has(sha256),
    refused(sha256) {
      if (!names.has(sha256)) return undefined
      const row = find.get(sha256)
      const deaths = Number(row?.['deaths'] ?? 0)
      if (deaths < MOST_DEATHS || Date.now() - Number(row?.['at']) >= REFUSED_MS) return undefined
      return unseen(
        'not-a-picture',
        `not decoded any more: the process ended ${deaths} times while it decoded this one alone; its sha256 is ${sha256}`,
      )
    },
    accuse(pictures) {
      database.exec('BEGIN IMMEDIATE')
      for (const [sha256, { suspected }] of pictures) {
        const deaths = Number(blame.get(sha256, suspected ? 1 : 0, Date.now())?.['deaths'])
        names.add(sha256)
        if (deaths < MOST_DEATHS)
          logger.warn({ sha256, deaths }, 'a process died while it decoded this picture, which is a suspect now')
        else logger.error({ sha256, deaths }, 'a picture ends the process that decodes it, and is not decoded any more')
      }
      forget.run(REMEMBERED)
      database.exec('COMMIT')
    },
    acquit(sha256) {
      if (names.delete(sha256)) clear.run(sha256)
    },
    close: () => database.close(),
  }
}
