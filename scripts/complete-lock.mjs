// Completes package-lock.json after `npm install`; with --check it only says what is missing.
// Where a registry does not carry the packages of every platform, npm leaves the others out of the lock file, and then
// `npm ci` refuses that file on every machine. Their version is known from who asks for them, their platform from their name.
// And npm before 11 knows no `allowScripts`, but runs install scripts of those packages alone that the lock file says have one:
// of those that package.json refuses them it says nothing.
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']
const LIBRARIES = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' }

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const file = join(root, 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const added = {}
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies || {})) {
    if (isThere(path, name)) continue
    added['node_modules/' + name] = entryFor(name, version, entry)
  }
}
const { allowScripts = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const refused = Object.keys(lock.packages).filter(
  (path) => lock.packages[path].hasInstallScript && allowScripts[path.split('node_modules/').pop()] === false,
)
const names = Object.keys(added)
if (process.argv.includes('--check')) {
  for (const name of names) console.error('package-lock.json lacks ' + name + ': run node scripts/complete-lock.mjs')
  for (const path of refused)
    console.error('package-lock.json lets npm 10 run the script of ' + path + ': run node scripts/complete-lock.mjs')
  process.exitCode = names.length + refused.length > 0 ? 1 : 0
} else if (names.length + refused.length > 0) {
  for (const path of refused) delete lock.packages[path].hasInstallScript
  // Sorted as npm sorts, so that the next installation moves nothing.
  const sorted = Object.entries(Object.assign({}, lock.packages, added)).sort(([a], [b]) => a.localeCompare(b, 'en'))
  lock.packages = Object.fromEntries(sorted)
  writeFileSync(file, JSON.stringify(lock, null, 2) + '\n')
  console.log(
    names.length + ' packages of other platforms added to package-lock.json, ' + refused.length + ' scripts refused',
  )
}

/** Looked for as Node does: beside the package that asks, then upwards. */
function isThere(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const found = lock.packages[(at === '' ? '' : at + '/') + 'node_modules/' + name]
    if (found !== undefined) return found.version !== undefined
    if (at === '') return false
  }
}

function entryFor(name, version, parent) {
  const words = name.split(/[-/]/)
  const os = SYSTEMS.filter((system) => words.includes(system))
  const cpu = PROCESSORS.filter((processor) => words.includes(processor))
  const libc = [...new Set(words.map((word) => LIBRARIES[word]).filter(Boolean))]
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+\S*$/.test(version)) {
    throw new Error(
      name + '@' + version + ' does not name one version for one platform: add it to package-lock.json by hand',
    )
  }
  const entry = { version, cpu, dev: parent.dev, license: parent.license, libc, optional: true, os }
  if (!parent.dev) delete entry.dev
  if (libc.length === 0 || os[0] !== 'linux') delete entry.libc
  return entry
}
