// What becomes of a command whose reader goes away before its end, as `| head` does.

/**
 * What is written for nobody is dropped, and the command ends as it would have ended: with its exit code, and with what it
 * changes done. One that writes for as long as somebody reads ends itself (`screen`, `hash`). Anything else that output
 * fails of, a full disk for instance, is a failure of the command.
 */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      process.stderr.write(`touchstone: what it prints cannot be written: ${error.message}\n`)
      process.exit(1)
    })
}
