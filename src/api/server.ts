// The HTTP server: what every request passes (id, access, rate, problems), and the routes. Nothing here reads the environment.
import cookie from '@fastify/cookie'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import Fastify, { LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { randomUUID } from 'node:crypto'
import { TouchstoneError } from '../errors.ts'
import { readJson } from '../events/json-text.ts'
import { createAuthenticator } from './access.ts'
import { createAnswerRoom } from './answer-stream.ts'
import { readRests } from './early-answers.ts'
import { createFeedWatch } from './feed-watch.ts'
import { watchMethods } from './allowed-methods.ts'
import { checkKnown, refuseUnknown } from './known-fields.ts'
import { describeRoutes } from './openapi.ts'
import { answerError, isHungUp, problem, PROBLEM_TYPE, sendProblem } from './problem.ts'
import { createFindEnd } from './record-ends.ts'
import { bankRoutes } from './routes/banks.ts'
import { brandRoutes } from './routes/brands.ts'
import { caseRoutes } from './routes/cases.ts'
import { decisionRoutes } from './routes/decisions.ts'
import { healthRoutes } from './routes/health.ts'
import { keyRoutes } from './routes/keys.ts'
import { listingRoutes } from './routes/listings.ts'
import { modelRoutes } from './routes/models.ts'
import { pageRoutes } from './routes/page.ts'
import { pictureRoutes } from './routes/pictures.ts'
import { policyRoutes } from './routes/policies.ts'
import { screenRoutes } from './routes/screen.ts'
import { signalRoutes } from './routes/signals.ts'
import { signInRoutes } from './routes/sign-in.ts'
import { verdictRoutes } from './routes/verdicts.ts'
import type { Api, ApiDependencies } from './services.ts'
import { createTurns } from './turns.ts'
import { createWaitingRoom } from './waiting.ts'

/** A listing id of 256 characters, each of up to 12 characters when percent-encoded. */
const MAX_PARAM = 256 * 12
/** Above the 60 s and 75 s after which common proxies drop idle connections: the side that opened one closes it first. */
const KEEP_ALIVE_MS = 76_000
const HEADERS_MS = 20_000
/** A slow line may take this long to send the largest body. */
const REQUEST_MS = 300_000
/** Behind an answer, twice the largest body by default: who sends more, or so slowly, may not get to read the answer. */
const REST = { bytes: 128 << 20, milliseconds: 30_000, idleMs: 5_000 }

/**
 * Builds the server; the caller listens and closes. Closing ends every waiting request at once with what there is,
 * lets requests in hand finish and takes no new ones. Ports are not closed: whoever built them does.
 */
export async function createApi(dependencies: ApiDependencies): Promise<Api> {
  const { limits, publicUrl } = dependencies
  const publicOrigin = publicUrl === undefined ? undefined : new URL(publicUrl).origin
  const secure = publicOrigin?.startsWith('https:') === true
  // The prefix makes browsers refuse the cookie from anywhere but this host over TLS.
  const cookieName = secure ? '__Host-touchstone' : 'touchstone'
  const waiting = createWaitingRoom()
  const authenticator = createAuthenticator({ ...dependencies, cookieName, publicOrigin })
  let closing = false

  const api: Api = Fastify({
    loggerInstance: dependencies.log,
    // An address may carry a sign-in token, and every request a line: failures are logged where they happen.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.listingBytes,
    // Else anyone could choose the address that failed attempts are counted for.
    trustProxy: dependencies.trustProxy ?? false,
    genReqId: () => randomUUID(),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    http: { headersTimeout: HEADERS_MS },
    forceCloseConnections: 'idle',
    // Its own answer would not be a problem document: see the onRequest hook.
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAM },
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    clientErrorHandler(error, socket) {
      if (!socket.writable || (error as NodeJS.ErrnoException).code === 'ECONNRESET') return void socket.destroy()
      const body = JSON.stringify(
        problem('invalid', 'the bytes are not an HTTP/1.1 request that can be read', randomUUID()),
      )
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nContent-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
    },
  }).withTypeProvider<ZodTypeProvider>()

  api.setValidatorCompiler(checkKnown)
  // Answers are typed by their schemas and come from parsed data: checking each again would only cost time.
  api.setSerializerCompiler(() => (value) => JSON.stringify(value))
  api.setErrorHandler((error, request, reply) =>
    answerError(isHungUp(error, request) ? error : dependencies.explained(error), request, reply),
  )
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    // Many clients name the type on requests that need no body; where one is needed its schema says so.
    if (body.length === 0) return done(null, undefined)
    const read = readJson(body as Buffer)
    if (read.kind === 'json') done(null, read.value)
    else done(new TouchstoneError(read.code, read.message))
  })

  const methods = watchMethods(api)
  api.addHook('onRoute', (route) => {
    if (route.config?.access === undefined)
      throw new Error(`${String(route.method)} ${route.url} does not say who may call it`)
    refuseUnknown(route)
  })
  api.setNotFoundHandler((request, reply) => {
    const allowed = methods.of(request.url.split('?')[0] ?? '')
    if (allowed.length === 0) return sendProblem(reply, 'not-found', 'there is nothing at this address')
    void reply.header('allow', allowed.join(', '))
    return sendProblem(reply, 'method-not-allowed', `this address takes ${allowed.join(', ')}`)
  })

  readRests(api, { ...REST, bytes: Math.max(REST.bytes, limits.ndjsonBytes) })
  api.decorateRequest('caller', undefined)
  await api.register(cookie)
  await api.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
    // A sign-in link carries its token in the address; it must not leave in a Referer. Our own origin is still told,
    // else browsers send `Origin: null` and no request could be recognised as ours.
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure,
  })

  api.addHook('onRequest', async (request, reply) => {
    void reply.header('x-request-id', request.id)
    if (closing) {
      void reply.header('connection', 'close')
      throw new TouchstoneError('not-ready', 'the server is stopping')
    }
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      throw new TouchstoneError('unsupported-media-type', 'the body must be sent without a content encoding')
    }
    if (request.is404) return
    const { access } = request.routeOptions.config
    await authenticator.admit(request, reply, access ?? [])
  })
  // After the hook above, so that it counts by caller.
  await api.register(rateLimit, {
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => request.caller?.subject ?? request.ip,
    errorResponseBuilder: (_request, { max }) =>
      new TouchstoneError('rate-limited', `more than ${max} requests in a minute`),
  })
  await describeRoutes(api, { version: dependencies.version, publicUrl, cookieName })

  const stopHints = dependencies.hints?.(() => waiting.nudge())
  api.addHook('preClose', async () => {
    closing = true
    stopHints?.()
    waiting.close()
  })

  const findEnd = createFindEnd(dependencies.decisions, dependencies.intake, () => waiting.round())
  const watchFeed = createFeedWatch(dependencies.decisions, () => waiting.round())
  const [answers, turns] = [createAnswerRoom(), createTurns()]
  const services = {
    ...dependencies,
    waiting,
    findEnd,
    watchFeed,
    answers,
    turns,
    authenticator,
    cookieName,
    publicOrigin,
  }
  listingRoutes(api, services)
  decisionRoutes(api, services)
  caseRoutes(api, services)
  verdictRoutes(api, services)
  screenRoutes(api, services)
  signalRoutes(api, services)
  brandRoutes(api, services)
  bankRoutes(api, services)
  pictureRoutes(api, services)
  policyRoutes(api, services)
  modelRoutes(api, services)
  keyRoutes(api, services)
  healthRoutes(api, services)
  signInRoutes(api, services)
  pageRoutes(api)
  return api
}
