// Whatever was thrown becomes an RFC 9457 problem from the catalogue; what nobody expected says nothing of the inside.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ERRORS, TouchstoneError, type ErrorCode } from '../errors.ts'
import type { Problem } from './contract.ts'
import { IN_WORDS } from './known-fields.ts'

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8'

/** Where a field that does not fit stands; nothing is said of the body. */
const PLACES: Readonly<Record<string, string>> = { querystring: 'query: ', params: 'address: ', headers: 'headers: ' }

/** Extension members beside the standard ones, such as `checks` or `lines`. */
export type Extensions = Readonly<Record<string, unknown>>

export function problem(code: ErrorCode, detail: string, requestId: string, path?: string): Problem {
  const { status, title, remedy } = ERRORS[code]
  return {
    type: `urn:touchstone:error:${code}`,
    title,
    status,
    detail,
    code,
    ...(path === undefined ? {} : { path }),
    remedy,
    instance: `urn:uuid:${requestId}`,
  }
}

export function sendProblem(
  reply: FastifyReply,
  code: ErrorCode,
  detail: string,
  more: { path?: string | undefined; extensions?: Extensions } = {},
): FastifyReply {
  return send(reply, problem(code, detail, reply.request.id, more.path), more.extensions)
}

function send(reply: FastifyReply, body: Problem, extensions: Extensions = {}): FastifyReply {
  return reply
    .code(body.status)
    .header('content-type', PROBLEM_TYPE)
    .serializer((value: unknown) => JSON.stringify(value))
    .send({ ...extensions, ...body })
}

/** Codes of the framework that mean something in the catalogue. */
const FRAMEWORK: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'the body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'the content type is missing or not one that this route takes',
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid', 'the body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: [
    'invalid',
    'the address has a percent sign that is not followed by two hexadecimal digits of UTF-8',
  ],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid', 'a part of the address is too long'],
}

export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  extensions: Extensions = {},
): FastifyReply {
  return send(reply, problemOf(error, request), extensions)
}

/**
 * Whether the caller went away while sending. The connection's own error looks like one of a database, so this is asked
 * before anybody explains the error; one of a database that fails just then is still told.
 */
export const isHungUp = (error: unknown, { raw }: Pick<FastifyRequest, 'raw'>): boolean =>
  raw.destroyed && !raw.complete && error === raw.errored

/** What the caller may know of a failure; what is ours to look into is logged. */
export function problemOf(error: unknown, request: FastifyRequest): Problem {
  const as = (code: ErrorCode, detail: string, path?: string) => problem(code, detail, request.id, path)
  if (isHungUp(error, request)) {
    request.log.debug({ route: request.routeOptions.url }, 'the caller hung up while sending')
    return as('invalid', 'the body ended early')
  }
  if (error instanceof TouchstoneError && error.status < 500) {
    return as(error.code, error.message, error.path)
  }
  if (error instanceof TouchstoneError && error.status === 503) {
    request.log.warn({ code: error.code, detail: error.message }, 'refused: not able to now')
    return as(error.code, ERRORS[error.code].title)
  }
  if (error instanceof TouchstoneError && error.code === 'internal-error') {
    request.log.error({ detail: error.message }, 'a listing failed in our own code')
    return as('internal-error', ERRORS['internal-error'].title)
  }
  const known = error as Partial<FastifyError>
  const first = known.validation?.[0]
  if (first !== undefined) {
    const where = PLACES[known.validationContext ?? ''] ?? ''
    const pointer = first.instancePath === '/' ? '' : first.instancePath
    const said = first.message ?? 'does not fit'
    const named = first.keyword === IN_WORDS ? said : `${pointer === '' ? 'the value' : pointer}: ${said}`
    return as('invalid', `${where}${named}`, pointer)
  }
  const mapped = FRAMEWORK[known.code ?? '']
  if (mapped?.[0] === 'too-large')
    return as('too-large', `the body has more than ${request.routeOptions.bodyLimit} bytes`)
  if (mapped !== undefined) return as(mapped[0], mapped[1])
  if (known.statusCode !== undefined && known.statusCode >= 400 && known.statusCode < 500) {
    return as('invalid', known.message ?? 'the request cannot be read')
  }
  if (request.raw.destroyed && !request.raw.complete) {
    request.log.debug({ route: request.routeOptions.url }, 'the caller hung up while sending')
    return as('invalid', 'the body ended early')
  }
  request.log.error({ err: error, route: request.routeOptions.url }, 'a request failed unexpectedly')
  return as('internal', `Report it with the request id ${request.id}.`)
}
