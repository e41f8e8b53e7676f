#!/usr/bin/env node
// The command `touchstone`: hands over to the TypeScript sources in a checkout, or to dist/ in an installed package.
// Plain JavaScript without newer syntax, because an older Node must be able to start it and say what is needed.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const source = join(root, 'src', 'apps', 'cli.ts')
  const checkout = existsSync(source)
  const entry = checkout ? source : join(root, 'dist', 'apps', 'cli.js')
  // Stripping the types of all sources is half of what a start takes. Where nobody else may write, or not at all.
  widenPool()
  if (checkout) module.enableCompileCache(join(root, 'node_modules', '.cache', 'compiled'))
  import(pathToFileURL(entry).href).catch((error) => {
    console.error(error)
    process.exitCode = 1
  })
} else {
  const newer = [
    join(root, 'node_modules', 'node', 'bin', 'node'),
    join(root, 'node_modules', 'node', 'bin', 'node.exe'),
    join(root, 'node_modules', '.bin', 'node'),
    // Installed: beside this package.
    join(root, '..', 'node', 'bin', 'node'),
  ].find((path) => existsSync(path))
  if (newer === undefined) {
    console.error(
      'touchstone needs Node 24 or newer; this is Node ' +
        process.versions.node +
        '. ' +
        (existsSync(join(root, 'src'))
          ? 'Run `npm start` or `npm ci` in ' + root + ' once: it brings Node 24 along.'
          : 'Install it from https://nodejs.org, or run `npm install node@24` where this package is installed.'),
    )
    process.exit(1)
  }
  runWith(newer)
}

/**
 * Pictures are decoded in the pool of threads that Node has for files and names too: one of it for each thread that reads
 * pictures, and eight for the rest, or a few slow pictures would hold up everything. Only before its first use can it be told.
 */
function widenPool() {
  const pictures = Number(process.env.TOUCHSTONE_IMAGE_THREADS) || os.availableParallelism()
  if (process.env.UV_THREADPOOL_SIZE === undefined) process.env.UV_THREADPOOL_SIZE = String(pictures + 8)
}

/** The same command under the newer Node; signals and the exit code pass through. */
function runWith(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), { stdio: 'inherit' })
  const onTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const pass = {}
  for (const signal of signals) {
    // A terminal sends Ctrl-C to the child as well, and twice would mean "at once".
    pass[signal] = () => (signal === 'SIGINT' && onTerminal ? undefined : child.kill(signal))
    process.on(signal, pass[signal])
  }
  child.on('error', (error) => {
    console.error('touchstone: ' + node + ' could not be started: ' + error.message)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const name of signals) process.removeListener(name, pass[name])
    process.kill(process.pid, signal)
  })
}
