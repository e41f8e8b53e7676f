// Makes the JVM's archive of a broker's loaded classes, once per machine and Java: a start then takes half the time.
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Jars } from './jars.ts'
import type { Java } from './java-home.ts'
import { newId, prepareNode } from './node.ts'
import { freePort } from './ports.ts'

/**
 * JVM options that use the archive. Only the jars' final place will do, for it is part of the class path that the archive
 * is held against, so this comes after their folder has its name.
 */
export async function classArchive(jars: Jars, java: Java): Promise<readonly string[]> {
  const archive = join(jars.folder, `classes-${java.version.replaceAll(/[^\w.+-]/g, '_')}.jsa`)
  if (!existsSync(archive)) await make(archive, jars, java)
  return [`-XX:SharedArchiveFile=${archive}`]
}

/** A broker writes down at its orderly end which classes it had loaded. */
async function make(archive: string, jars: Jars, java: Java): Promise<void> {
  const folder = await mkdtemp(`${archive}.`)
  try {
    const fresh = join(folder, 'classes.jsa')
    const [port, controller] = [await freePort(), await freePort()]
    const node = await prepareNode({
      java,
      jars,
      cluster: newId(),
      folder,
      settings: { id: 1, voters: [controller], listeners: [{ name: 'PLAIN', port, protocol: 'PLAINTEXT' }] },
      archive: [`-XX:ArchiveClassesAtExit=${fresh}`],
    })
    await node.start()
    await node.terminate()
    await rename(fresh, archive)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
