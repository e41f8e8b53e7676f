// What `doctor` says of Kafka: reachable, safely, enough of it, and whether its limits fit our settings.
import type { KafkaConnection } from '../../../adapters/kafka-log/connection.ts'
import { examineBrokers, type BrokerExamination } from '../../../adapters/kafka-log/examine-brokers.ts'
import { TRANSACTION_MS } from '../../../adapters/kafka-log/fenced-writer.ts'
import type { Config } from '../../../config.ts'
import { ERRORS, messageOf, TouchstoneError } from '../../../errors.ts'
import type { Logger } from '../../../telemetry.ts'
import { groupNames } from '../../ground.ts'
import type { Finding } from './finding.ts'

/** One broker may fail, and a record still has two copies. */
const ENOUGH_BROKERS = 3

export interface ExaminedBrokers {
  readonly findings: readonly Finding[]
  readonly reachable: boolean
}

export async function examineKafka(
  connection: KafkaConnection,
  config: Config,
  logger: Logger,
): Promise<ExaminedBrokers> {
  const { listings, verdicts } = groupNames(config.TOUCHSTONE_TOPIC_PREFIX)
  const groups: readonly string[] = [listings, verdicts]
  try {
    const found = await examineBrokers(connection, groups, logger)
    const findings = [
      describeBrokers(found),
      describeSafety(connection),
      ...checkLimits(found.limits, config.KAFKA_SESSION_TIMEOUT_MS),
      ...groups.map((name) => describeGroup(name, found)),
    ]
    return { findings, reachable: true }
  } catch (error) {
    const cure =
      error instanceof TouchstoneError
        ? ERRORS[error.code].remedy
        : 'check KAFKA_BROKERS and the settings of TLS and SASL'
    const finding: Finding = { name: 'kafka', state: 'wrong', detail: messageOf(error), cure }
    return { findings: [finding, describeSafety(connection)], reachable: false }
  }
}

function describeBrokers({ brokers }: BrokerExamination): Finding {
  const detail = `${brokers.length} ${brokers.length === 1 ? 'broker' : 'brokers'}: ${brokers.map((b) => b.address).join(', ')}`
  return brokers.length >= ENOUGH_BROKERS
    ? { name: 'kafka', state: 'ok', detail }
    : {
        name: 'kafka',
        state: 'warning',
        detail,
        cure: 'fewer than three keep no spare copy that is still written: fine for trying, not for a marketplace',
      }
}

export function describeSafety({ tls, sasl }: Pick<KafkaConnection, 'tls' | 'sasl'>): Finding {
  const detail = `${tls === undefined ? 'plain text' : 'TLS'}, ${sasl === undefined ? (tls?.cert === undefined ? 'nobody signs in' : 'a certificate signs in') : `SASL ${sasl.mechanism}`}`
  if (tls !== undefined) return { name: 'kafka safety', state: 'ok', detail }
  const cure =
    sasl?.mechanism === 'plain'
      ? 'the password crosses the network as it is: set KAFKA_TLS=true, or take scram-sha-512'
      : sasl === undefined
        ? undefined
        : 'records cross the network as they are: set KAFKA_TLS=true unless the network is yours alone'
  return cure === undefined
    ? { name: 'kafka safety', state: 'ok', detail }
    : { name: 'kafka safety', state: 'warning', detail, cure }
}

export function checkLimits(limits: BrokerExamination['limits'], sessionMs: number): Finding[] {
  const name = 'kafka limits'
  const findings: Finding[] = []
  const shortest = limits['group.min.session.timeout.ms'] ?? 0
  const longest = limits['group.max.session.timeout.ms'] ?? Infinity
  if (sessionMs < shortest || sessionMs > longest)
    findings.push({
      name,
      state: 'wrong',
      detail: `KAFKA_SESSION_TIMEOUT_MS is outside what the brokers take: ${shortest} to ${longest} ms`,
      cure: 'workers do not start: set it within these limits, or change group.min.session.timeout.ms of the brokers',
    })
  const transaction = limits['transaction.max.timeout.ms'] ?? Infinity
  if (transaction < TRANSACTION_MS)
    findings.push({
      name,
      state: 'wrong',
      detail: `transactions may take ${transaction} ms at most, and the publisher asks for ${TRANSACTION_MS}`,
      cure: `nothing is published: set transaction.max.timeout.ms of the brokers to ${TRANSACTION_MS} or more`,
    })
  if (findings.length > 0) return findings
  const known = limits['transaction.max.timeout.ms'] !== undefined
  return [
    {
      name,
      state: 'ok',
      detail: known
        ? `sessions of ${shortest} to ${longest} ms, transactions of up to ${transaction} ms`
        : 'the brokers do not tell them to this user',
    },
  ]
}

function describeGroup(name: string, { groups }: BrokerExamination): Finding {
  const group = groups.get(name)
  const members = group?.members ?? []
  const where = Map.groupBy(members, (member) => member.host)
  const detail =
    members.length === 0
      ? `${name} has no members: no worker runs`
      : `${name} is ${group?.state ?? 'unknown'}, ${members.length} members: ${[...where].map(([host, some]) => `${some.length} on ${host}`).join(', ')}`
  return { name: 'group', state: 'ok', detail }
}
