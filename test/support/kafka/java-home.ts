// Finds the JDK that runs the brokers and clients of the tests, and says of what kind it is.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from './program.ts'

/** Kafka 4 needs it for the broker. */
const OLDEST = 17

export interface Java {
  readonly home: string
  /** As `17.0.15+6-Debian-1deb12u1`: a class archive belongs to exactly one. */
  readonly version: string
}

/** The Java of JAVA_HOME, else of the PATH; undefined when there is none, it is older than 17 or it cannot compile. */
export async function findJava(): Promise<Java | undefined> {
  const home = process.env['JAVA_HOME']
  const program = home === undefined || home === '' ? 'java' : join(home, 'bin', 'java')
  try {
    // Java says its properties on the error stream.
    const java = javaOf((await runProgram(program, ['-XshowSettings:properties', '-version'], 'looking for Java')).err)
    // A runtime alone would start brokers, and fail where their client is compiled.
    return java !== undefined && existsSync(join(java.home, 'bin', 'javac')) ? java : undefined
  } catch {
    return undefined
  }
}

/** What `java -XshowSettings:properties -version` says, if it is new enough. */
export function javaOf(settings: string): Java | undefined {
  const property = (name: string) => new RegExp(`^ *${name.replaceAll('.', '\\.')} = (.*)$`, 'm').exec(settings)?.[1]
  const home = property('java.home')?.trim()
  const version = property('java.runtime.version')?.trim()
  if (home === undefined || version === undefined) return undefined
  // 1.8.0 is how Java called its version 8.
  const major = Number(/^\d+/.exec(version)?.[0] ?? 0)
  return major >= OLDEST ? { home, version } : undefined
}

/** Whether Maven is there: asked for only when jars are still missing, because it takes a third of a second to say so. */
export async function hasMaven(): Promise<boolean> {
  return runProgram('mvn', ['--version'], 'looking for Maven').then(
    () => true,
    () => false,
  )
}
