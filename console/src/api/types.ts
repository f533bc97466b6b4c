/** Names for the generated answers, taken from the operations so that they follow the server. */

import type { operations } from './schema'

type Json<R, Status extends number> = Status extends keyof R
  ? R[Status] extends { content: { 'application/json': infer T } }
    ? T
    : never
  : never

export type Answer<Id extends keyof operations> = Json<operations[Id]['responses'], 200 | 201 | 202>

export type Body<Id extends keyof operations> = operations[Id] extends {
  requestBody: { content: { 'application/json': infer T } }
}
  ? T
  : never

type Item<Id extends keyof operations> = Answer<Id> extends { items: (infer T)[] } ? T : never

export type Me = Answer<'auth.me'>
export type Org = Answer<'orgs.get'>
export type OrgSummary = Item<'orgs.list'>
export type Domain = Item<'domains.list'>
export type Member = Answer<'members.get'>
export type User = Answer<'users.get'>
export type Invitation = Item<'invitations.list'>
/** The only answer that carries an invitation's link. */
export type Invited = Answer<'invitations.create'>
export type Import = Body<'users.import'>
export type ImportReport = Answer<'users.import'>
export type Group = Answer<'groups.get'>
export type GroupMember = Item<'groups.members'>
export type Role = Answer<'roles.get'>
export type Grant = Item<'grants.list'>
export type Held = Answer<'permissions.of'>
export type Catalogue = Answer<'permissions.catalogue'>
/** An operation that a set of permissions opens. */
export type Opened = Item<'permissions.opens'>
export type ApiKey = Item<'api_keys.list'>
/** The only answer that carries the key itself. */
export type IssuedApiKey = Answer<'api_keys.create'>
export type Session = Item<'sessions.list'>
export type Agent = Answer<'agents.get'>
export type Credential = Item<'credentials.list'>
/** The only answer that carries a secret. */
export type Issued = Answer<'credentials.create'>
export type Kill = Answer<'agents.kill'>
export type Fact = Item<'audit.events.list'>
export type FactDetail = Answer<'audit.events.get'>
export type Fn = Answer<'functions.get'>
/** A function in a list: without its code. */
export type FnSummary = Item<'functions.list'>
export type FnVersion = Item<'functions.versions'>
export type ConfigPlan = Answer<'config.plan'>
export type ConfigChange = ConfigPlan['changes'][number]
export type ConfigField = ConfigChange['fields'][number]
export type ConfigFinding = ConfigPlan['warnings'][number]
export type ConfigDrift = Answer<'config.drift'>
export type Package = Item<'packages.list'>
export type Queue = Item<'queues.list'>
/** An interpreter that the server which answers keeps warm. */
export type WarmInterpreter = Item<'pools.list'>
export type Worker = Item<'workers.list'>
export type Run = Answer<'runs.get'>
/** A run as its page shows it: what went in and what came out as the text of it, so that numbers keep their digits. */
export type WholeRun = Omit<Run, 'input' | 'output'> & Record<'input' | 'output', string | undefined>
export type ScheduleSummary = Item<'schedules.list'>
/** A schedule with its input as the text of it, so that numbers keep their digits. */
export type Schedule = Omit<ScheduleSummary, 'input'> & { input: string }
export type ScheduleTick = Item<'schedules.ticks'>
export type LogLine = Item<'runs.logs'>
export type Hook = Answer<'hooks.get'>
export type HookDelivery = Item<'hooks.deliveries.list'>
export type Secret = Item<'secrets.list'>
export type SecretDetail = Answer<'secrets.get'>
export type EgressRule = FnVersion['egress'][number]
export type StateNamespace = Answer<'state.get'>
/** An entry with its value as the text of it, so that numbers keep their digits. */
export type StateEntry = Omit<Answer<'state.entries.get'>, 'value'> & { value: string | undefined }
/** An entry in a list: without its value. */
export type StateSummary = Item<'state.entries.list'>
export type StateRevision = Item<'state.entries.history'>
export type FileCollection = Answer<'collections.get'>
export type StoredFile = Answer<'files.get'>
export type FileUpload = Answer<'uploads.create'>
export type FileVersion = Item<'files.versions'>
export type FileLink = Item<'files.links'>
export type OfferedProvider = Item<'auth.providers'>
export type Begun = Answer<'auth.begin'>
export type Login = Answer<'auth.login'>
export type SecondStep = NonNullable<Login['second_factor']>
export type Way = SecondStep['ways'][number]
export type Factor = Item<'auth.factors'>
export type AuthProvider = Item<'auth_providers.list'>
export type AuthProviderKind = Item<'auth_providers.kinds'>
export type WaitingDevice = Answer<'auth.show_device'>
export type Policy = Item<'policies.list'>
export type PolicyDetail = Answer<'policies.get'>
export type PolicyBundle = PolicyDetail['bundle']
export type Simulation = Answer<'policies.simulate'>
export type WhatIf = Answer<'policies.what_if'>
export type ReachingAgent = Item<'access.graph'>
export type Actor = Fact['actor']

/** One page of a list. */
export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}
