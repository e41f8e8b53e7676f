// One Touchstone per data directory: a lock that the operating system releases however the process ends.
import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isAlive } from './process-table.ts'
import { TouchstoneError, messageOf } from '../../errors.ts'

export interface DataDirLock {
  release(): void
}

/** Lets a process that is just ending finish. A command need not wait here: it works beside a gate, or comes again. */
const ENDING_MS = 500

/**
 * Takes the lock or throws `already-running` with the holder's pid. Node has no flock; an exclusive SQLite transaction
 * is an fcntl lock, which needs no guess whether a pid in a file is stale and cannot be won by two at once. The pid in
 * the file beside it is only there to be named. `brief`: by a command, which soon ends.
 */
export function lockDataDir(dataDir: string, brief = false): DataDirLock {
  const holderFile = join(dataDir, 'touchstone.pid')
  const database = open(dataDir, brief ? 0 : ENDING_MS)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    // 5 is SQLITE_BUSY; everything else is a broken or read-only disk.
    if (!(error instanceof Error && 'errcode' in error && error.errcode === 5)) throw unusable(dataDir, error)
    throw new TouchstoneError(
      'already-running',
      `Another Touchstone (${holderOf(holderFile)}) runs on ${dataDir}. Stop it, or set TOUCHSTONE_DATA_DIR to another directory.`,
    )
  }
  // One of another user may be left of a run that was killed: it can be removed, not overwritten.
  rmSync(holderFile, { force: true })
  writeFileSync(holderFile, `${process.pid}${brief ? BRIEFLY : ''}\n`)
  return {
    release() {
      if (!database.isOpen) return
      rmSync(holderFile, { force: true })
      database.close()
    },
  }
}

const BRIEFLY = ', a command'
const NOT_KNOWN = 'pid not yet known'

/**
 * Who had the lock; undefined: that is not what failed. By the words, because it may have ended since. Between taking the
 * lock and saying who has it, and between unsaying it and letting go, nobody knows: whoever is told so asks again.
 */
export function takenBy(error: unknown): 'gate' | 'command' | 'nobody known' | undefined {
  if (!(error instanceof TouchstoneError) || error.code !== 'already-running') return undefined
  if (error.message.includes(BRIEFLY)) return 'command'
  return error.message.includes(NOT_KNOWN) ? 'nobody known' : 'gate'
}

function open(dataDir: string, patienceMs: number): DatabaseSync {
  try {
    // Root's server runs as another user, who must be able to pass through.
    mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 })
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    return new DatabaseSync(join(dataDir, 'touchstone.lock'), { timeout: patienceMs })
  } catch (error) {
    throw unusable(dataDir, error)
  }
}

function unusable(dataDir: string, cause: unknown): TouchstoneError {
  return new TouchstoneError(
    'settings-invalid',
    `The data directory ${dataDir} cannot be used (${messageOf(cause)}). Give this user write access to it and what is in it, or set TOUCHSTONE_DATA_DIR to a directory that it may write, or DATABASE_URL to a PostgreSQL server.`,
    { cause },
  )
}

/** One that was killed is still named until the next has written its own, and is nobody to attach to. */
function holderOf(file: string): string {
  try {
    const said = readFileSync(file, 'utf8').trim()
    return isAlive(Number.parseInt(said, 10)) ? `pid ${said}` : NOT_KNOWN
  } catch {
    return NOT_KNOWN
  }
}
