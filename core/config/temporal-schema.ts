import { z } from "zod";
import { secret } from "./fields.ts";
import type { Problem } from "./problems.ts";

const file = z.string().min(1);

/** Where workflows run, and how the connection to it is protected. */
export const temporal = z.strictObject({
  address: z.string().default("127.0.0.1:7233").describe("host and port of Temporal's frontend"),
  namespace: z.string().default("default").describe("the Temporal namespace for workflows and schedules"),
  tls: z
    .boolean()
    .default(false)
    .describe("whether the connection is encrypted; Temporal Cloud, and any network that is not yours alone, needs it"),
  authority: file
    .optional()
    .describe("the PEM file of who signed the server's certificate; without it, those whom the system trusts. Needs `tls`"),
  serverName: z.string().min(1).optional().describe("the name in the server's certificate, where it is not that of `address`. Needs `tls`"),
  certificate: file
    .optional()
    .describe("the PEM file of the certificate by which the server knows this client. Needs `tls` and `privateKey`"),
  privateKey: secret.optional().describe("the private key, as PEM, of `certificate`"),
  apiKey: secret.optional().describe("an API key of Temporal Cloud; needs `tls`"),
  ui: z.url().optional().describe("the Temporal UI's address; with it, output has links to runs"),
});

/** What would be ignored without `tls`, and halves of a pair. */
export const temporalProblems = (config: z.infer<typeof temporal>): Problem[] => {
  const needTls = (["authority", "serverName", "certificate", "privateKey", "apiKey"] as const).filter((key) => config[key] !== undefined);
  const { certificate, privateKey } = config;
  return [
    ...needTls.filter(() => !config.tls).map((key) => ({ path: ["temporal", key], message: "has no effect without `tls: true`" })),
    ...((certificate === undefined) === (privateKey === undefined)
      ? []
      : [
          {
            path: ["temporal", certificate === undefined ? "privateKey" : "certificate"],
            message: `needs \`${certificate === undefined ? "certificate" : "privateKey"}\` beside it`,
          },
        ]),
  ];
};
