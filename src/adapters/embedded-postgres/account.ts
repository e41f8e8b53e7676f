// Which operating-system user runs the server, and where that user can reach binaries and data: PostgreSQL refuses root.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { TouchstoneError, messageOf } from '../../errors.ts'

export interface Account {
  /** undefined: whoever runs this process. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
  readonly name: string
}

/** Below it, and only as root, lies what the other user could not reach where it is. */
export const SHARED_HOME = '/var/lib/touchstone'

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Data that exist already decide: their owner goes on running them. */
export function chooseAccount(existingData: string | undefined): Account {
  if (!isRoot()) return { ids: undefined, name: 'this user' }
  if (existingData !== undefined) {
    const { uid, gid } = statSync(existingData)
    if (uid !== 0) return { ids: { uid, gid }, name: `uid ${uid}` }
  }
  for (const name of ['postgres', 'nobody']) {
    const uid = idOf('-u', name)
    const gid = idOf('-g', name)
    if (uid !== undefined && gid !== undefined && uid !== 0) return { ids: { uid, gid }, name }
  }
  throw new TouchstoneError(
    'database-unavailable',
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody. Run Touchstone as an ordinary user, or set DATABASE_URL.',
  )
}

function idOf(flag: '-u' | '-g', name: string): number | undefined {
  const asked = spawnSync('id', [flag, name], { encoding: 'utf8' })
  return asked.status === 0 ? Number(asked.stdout.trim()) : undefined
}

/** Tried rather than computed from modes: access lists, mounts and containers have their own opinion. */
export function canWork(account: Account, directory: string): boolean {
  if (account.ids === undefined) return true
  const tried = spawnSync('/bin/sh', ['-c', 'cd "$1" && test -r . && test -w .', 'sh', directory], {
    ...account.ids,
    cwd: '/',
    stdio: 'ignore',
  })
  if (tried.error !== undefined) throw cannotSwitch(account, tried.error)
  return tried.status === 0
}

export function canRun(account: Account, executable: string): boolean {
  if (account.ids === undefined) {
    try {
      accessSync(executable, constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  return spawnSync(executable, ['--version'], { ...account.ids, cwd: '/', stdio: 'ignore' }).status === 0
}

function cannotSwitch(account: Account, error: Error): TouchstoneError {
  return new TouchstoneError(
    'database-unavailable',
    `Running as root, but not allowed to start PostgreSQL as ${account.name} (${messageOf(error)}). Run Touchstone as an ordinary user, or set DATABASE_URL.`,
    { cause: error },
  )
}

/**
 * The directory that holds the data: `<dataDir>/postgres-data`, or below SHARED_HOME when the server's user cannot get
 * there. The answer must be remembered by the caller: rights may change, the data must not move.
 */
export function placeForData(account: Account, dataDir: string): string {
  const inside = join(dataDir, 'postgres-data')
  if (account.ids === undefined) {
    mkdirSync(inside, { recursive: true, mode: 0o700 })
    return realpathSync(inside)
  }
  const existed = existsSync(inside)
  mkdirSync(inside, { recursive: true, mode: 0o700 })
  if (!existed) own(account, inside)
  openNewDirectory(dataDir)
  if (canWork(account, inside)) return realpathSync(inside)
  const outside = join(SHARED_HOME, createHash('sha256').update(realpathSync(dataDir)).digest('hex').slice(0, 16))
  makeSharedHome()
  mkdirSync(outside, { recursive: true, mode: 0o700 })
  own(account, outside)
  if (canWork(account, outside)) return realpathSync(outside)
  throw new TouchstoneError(
    'database-unavailable',
    `Neither ${inside} nor ${outside} can be used by ${account.name}, as whom PostgreSQL runs. Set TOUCHSTONE_DATA_DIR to a directory that others may enter, or set DATABASE_URL.`,
  )
}

/**
 * Lets others pass through a directory that holds nothing but what we just made, as `mktemp -d` gives it. Its files stay
 * closed to them. A directory with anything else in it, such as root's home, keeps its rights.
 */
function openNewDirectory(dataDir: string): void {
  // The lock has a journal beside it while it is held.
  const ours = /^(touchstone\.(lock|lock-journal|pid)|postgres-data)$/
  if (readdirSync(dataDir).every((name) => ours.test(name)))
    chmodSync(dataDir, (statSync(dataDir).mode & 0o777) | 0o011)
}

export function makeSharedHome(): void {
  try {
    mkdirSync(SHARED_HOME, { recursive: true, mode: 0o755 })
    // Not left to the umask: the server's user must be able to pass.
    chmodSync(SHARED_HOME, 0o755)
  } catch (error) {
    throw new TouchstoneError(
      'database-unavailable',
      `${SHARED_HOME} cannot be made (${messageOf(error)}), and the server's user cannot enter this directory. Run Touchstone as an ordinary user, or set DATABASE_URL.`,
      { cause: error },
    )
  }
}

export function own(account: Account, path: string): void {
  if (account.ids === undefined) return
  try {
    chownSync(path, account.ids.uid, account.ids.gid)
  } catch (error) {
    throw cannotSwitch(account, error instanceof Error ? error : new Error(messageOf(error)))
  }
}
