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
export type Run = Answer<'runs.get'>
export type LogLine = Item<'runs.logs'>
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
