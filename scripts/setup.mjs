// Runs before `npm start`, `npm test` and `npm run check`: installs what the lock file says, unless it is installed already.
// Plain JavaScript without newer syntax, because the Node that a machine happens to have runs it.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const major = (version) => Number(version.split('.')[0])

if (major(process.versions.node) < 20) {
  fail(
    'Touchstone needs Node 20 or newer to install itself; this is Node ' +
      process.versions.node +
      '. Install a current one from https://nodejs.org and try again.',
  )
}

const missing = whatIsMissing()
if (missing !== undefined) {
  console.log('Touchstone: ' + missing + ', running npm ci (once; a minute or less)')
  const begun = Date.now()
  // Warnings would be about the Node of this machine, while everything runs under the Node 24 that is being installed.
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: Object.assign({}, process.env, { PATH: pathOfTheMachine() }),
    shell: process.platform === 'win32',
  })
  if (npm.error) fail('npm could not be run: ' + npm.error.message)
  if (npm.status !== 0) fail('npm ci failed; what it printed says why. Nothing was started.')
  const still = whatIsMissing()
  if (still !== undefined) fail('after npm ci ' + still + '. Remove node_modules and try again.')
  console.log('Touchstone: installed in ' + ((Date.now() - begun) / 1000).toFixed(1) + ' s')
}

if (major(process.versions.node) < 24 && !existsSync(join(root, 'node_modules', 'node', 'bin', 'node'))) {
  fail(
    'the package `node`, which brings Node 24, has no program in it: npm is set to ignore install scripts. ' +
      'Run `npm rebuild node --ignore-scripts=false`, or install Node 24.',
  )
}

/** By content, not by time: a checkout touches the lock file without changing it. */
function whatIsMissing() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  // npm writes this file last, so an installation that was interrupted lacks it.
  if (!existsSync(installed)) return 'nothing is installed yet'
  let have, want
  try {
    want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    have = JSON.parse(readFileSync(installed, 'utf8')).packages
  } catch (error) {
    return 'the record of what is installed cannot be read (' + error.message + ')'
  }
  for (const path of Object.keys(want)) {
    if (path === '') continue
    const found = have[path]
    // Other platforms' packages are in the lock file and never installed.
    if (found === undefined && want[path].optional) continue
    if (found === undefined || found.version !== want[path].version) return 'the lock file has changed'
  }
  return undefined
}

/** npm puts node_modules/.bin first, and with it the very Node that npm ci is about to replace. */
function pathOfTheMachine() {
  const own = resolve(root, 'node_modules')
  return (process.env.PATH || '')
    .split(delimiter)
    .filter((directory) => !resolve(directory).startsWith(own))
    .join(delimiter)
}

function fail(message) {
  console.error('Touchstone: ' + message)
  process.exit(1)
}
