// Holds the jars that came from the network to the sums that were committed.
import { hash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The lines of a SHA256SUMS file, by the name of the file. */
export function readSums(text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? []
    if (sum !== undefined && name !== undefined) sums.set(name, sum)
    else if (line !== '') throw new Error(`not a line of a SHA256SUMS file: ${line}`)
  }
  return sums
}

/**
 * Every file of the folder and no other, each with its sum; throws an error that names every file that deviates. All of
 * Kafka's 45 MB take a tenth of a second, so nothing cheaper is trusted instead.
 */
export async function checkSums(folder: string, sums: ReadonlyMap<string, string>): Promise<void> {
  const found = new Set(await readdir(folder))
  const problems: string[] = []
  for (const [name, sum] of sums) {
    if (!found.delete(name)) problems.push(`${name} is missing`)
    else if (hash('sha256', await readFile(join(folder, name))) !== sum) problems.push(`${name} has another SHA-256`)
  }
  for (const name of found) problems.push(`${name} is not expected`)
  if (problems.length > 0)
    throw new Error(`${folder} does not hold what test/support/kafka/ says it must: ${problems.join('; ')}`)
}
