// What `doctor` asks the brokers: how many there are, the limits that they set for us, and who is in a group.
import kafkajs, { type Admin } from 'kafkajs'
import type { Logger } from '../../telemetry.ts'
import { BRIEF_RETRY, createKafka, hangUp } from './client.ts'
import type { KafkaConnection } from './connection.ts'
import { explained } from './errors.ts'

interface GroupMember {
  readonly clientId: string
  readonly host: string
}

export interface BrokerExamination {
  readonly brokers: readonly { readonly id: number; readonly address: string }[]
  /** Milliseconds and counts by the brokers' own names for them; undefined where we may not ask. */
  readonly limits: Readonly<Record<BrokerLimit, number | undefined>>
  /** State and members by group; a group that nobody joined has none. */
  readonly groups: ReadonlyMap<string, { readonly state: string; readonly members: readonly GroupMember[] }>
}

const LIMITS = ['transaction.max.timeout.ms', 'group.min.session.timeout.ms', 'group.max.session.timeout.ms'] as const
type BrokerLimit = (typeof LIMITS)[number]

/** Throws what `explained` says: `log-unavailable`, `log-forbidden`. Gives up within seconds. */
export async function examineBrokers(
  connection: KafkaConnection,
  groups: readonly string[],
  logger: Logger,
): Promise<BrokerExamination> {
  const kafka = createKafka(connection, logger, { retry: BRIEF_RETRY })
  const admin = kafka.admin()
  try {
    await admin.connect()
    const { brokers } = await admin.describeCluster()
    const first = brokers[0]
    const limits = first === undefined ? {} : await limitsOf(admin, first.nodeId)
    // One at a time: a group that we may not see must not hide the others.
    const found = new Map<string, { state: string; members: GroupMember[] }>()
    for (const name of groups) {
      const [group] = (await admin.describeGroups([name]).catch(() => ({ groups: [] }))).groups
      const members = group?.members.map(({ clientId, clientHost }) => ({
        clientId,
        host: clientHost.replace(/^\//, ''),
      }))
      if (group !== undefined) found.set(name, { state: group.state, members: members ?? [] })
    }
    return {
      brokers: brokers.map(({ nodeId, host, port }) => ({ id: nodeId, address: `${host}:${port}` })),
      limits: {
        'transaction.max.timeout.ms': undefined,
        'group.min.session.timeout.ms': undefined,
        'group.max.session.timeout.ms': undefined,
        ...limits,
      },
      groups: found,
    }
  } catch (error) {
    throw explained(error)
  } finally {
    await admin.disconnect().catch(() => undefined)
    hangUp(kafka)
  }
}

/** Whoever may not ask for the brokers' settings can still use them. */
async function limitsOf(admin: Admin, broker: number): Promise<Partial<Record<BrokerLimit, number>>> {
  const asked = { type: kafkajs.ConfigResourceTypes.BROKER, name: String(broker), configNames: [...LIMITS] }
  const answer = await admin.describeConfigs({ resources: [asked], includeSynonyms: false }).catch(() => undefined)
  const entries = answer?.resources[0]?.configEntries ?? []
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, Number(configValue)]))
}
