#!/usr/bin/env node
// A client of Ringback's REST door: Node 18 or newer, nothing else.
//
//   ringback.mjs create IDEMPOTENCY_KEY [WAIT_SECONDS] <callback.json
//   ringback.mjs show ID
//   ringback.mjs list [QUERY]                       every page, a line of JSON each; QUERY such as state=completed
//   ringback.mjs cancel ID
//   ringback.mjs verify ID TIMESTAMP SIGNATURES <body
//
// The environment names the service (RINGBACK_URL), the key (RINGBACK_KEY) and, for verify, RINGBACK_WEBHOOK_SECRET.

import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

/** The service has answered with a problem (RFC 9457). */
export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export class Client {
  constructor(url, key) {
    this.url = url.replace(/\/$/, "");
    this.key = key;
  }

  async call(method, path, body, headers = {}) {
    const answer = await fetch(this.url + path, {
      method,
      body,
      headers: { ...headers, Authorization: `Bearer ${this.key}` },
      signal: AbortSignal.timeout(60_000),
    });
    // Nothing was decided: the same request may be sent again.
    if (answer.status === 429 || answer.status >= 500) throw new Error(`answered ${answer.status}`);
    if (!answer.ok) throw new Refused(await answer.json());
    return answer.json();
  }

  /** Asks for a callback. With the same key the person is called once, however often this is sent. */
  async create(callback, idempotencyKey, wait = 0) {
    const headers = {
      "Content-Type": "application/json",
      "Idempotency-Key": idempotencyKey,
      Prefer: `wait=${wait}`,
    };
    for (const pause of [1000, 2000, 4000, 0]) {
      try {
        return await this.call("POST", "/v1/callbacks", JSON.stringify(callback), headers);
      } catch (error) {
        if (error instanceof Refused || pause === 0) throw error;
        await sleep(pause);
      }
    }
  }

  show(id) {
    return this.call("GET", `/v1/callbacks/${encodeURIComponent(id)}`);
  }

  cancel(id) {
    return this.call("DELETE", `/v1/callbacks/${encodeURIComponent(id)}`);
  }

  async *pages(query) {
    const wanted = new URLSearchParams(query);
    for (;;) {
      const page = await this.call("GET", `/v1/callbacks?${wanted}`);
      yield page;
      if (!page.next) return;
      wanted.set("cursor", page.next);
    }
  }
}

/** Whether a message is from the service and not an old one (Standard Webhooks). */
export function verify(secret, id, timestamp, signatures, body, now = Date.now() / 1000) {
  if (!(Math.abs(now - Number(timestamp)) <= 300)) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const expected = Buffer.from(`v1,${digest}`);
  return signatures
    .split(" ")
    .map((given) => Buffer.from(given))
    .some((given) => given.length === expected.length && timingSafeEqual(given, expected));
}

async function main([command, ...words]) {
  if (command === "verify") {
    if (verify(process.env.RINGBACK_WEBHOOK_SECRET, ...words, readFileSync(0))) return;
    throw new Error("the message is not from the service, or too old");
  }
  const client = new Client(process.env.RINGBACK_URL, process.env.RINGBACK_KEY);
  const print = (value) => console.log(JSON.stringify(value));
  switch (command) {
    case "create":
      return print(await client.create(JSON.parse(readFileSync(0, "utf8")), ...words));
    case "show":
      return print(await client.show(...words));
    case "cancel":
      return print(await client.cancel(...words));
    case "list":
      for await (const page of client.pages(words[0])) print(page);
      return;
    default:
      throw new Error("use create, show, list, cancel or verify; the head of this file says how");
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(error instanceof Refused ? JSON.stringify(error.problem) : error.message);
    process.exitCode = 1;
  });
}
