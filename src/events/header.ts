// Headers of a log record, where a name may repeat and a value may be missing: which of them counts.

/** As in the log: bytes, no value, or the values of a name that repeats in their order. */
export type HeaderValue = Uint8Array | null | readonly (Uint8Array | null)[]

/** Every value under one name, in order. */
export function headerValues(value: HeaderValue): readonly (Uint8Array | null)[] {
  return value === null || value instanceof Uint8Array ? [value] : value
}

/**
 * The value that counts: the last one, undefined where it is missing. The Kafka binding of CloudEvents is silent about
 * names that repeat; its Java SDK takes `Headers.lastHeader`, and two readers of one record must not disagree.
 */
export function lastHeader(headers: Readonly<Record<string, HeaderValue>>, name: string): Uint8Array | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined
  return value === undefined ? undefined : (headerValues(value).at(-1) ?? undefined)
}
