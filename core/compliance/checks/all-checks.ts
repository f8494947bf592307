import type { Check } from "../check.ts";
import { mongodbAuthentication } from "./mongodb/authentication.ts";
import { mongodbBackupUser, mongodbPasswordHashes, mongodbRootUsers } from "./mongodb/roles.ts";
import { mongodbSize } from "./mongodb/size.ts";
import { mongodbTlsConnection, mongodbTlsRequired } from "./mongodb/transport.ts";
import { mongodbVersion } from "./mongodb/version.ts";
import { postgresDataChecksums } from "./postgres/durability.ts";
import { postgresHostRules } from "./postgres/host-rules.ts";
import { postgresLogConnections, postgresLogStatements } from "./postgres/logging.ts";
import { postgresPasswordEncryption, postgresPasswordHashes } from "./postgres/passwords.ts";
import { postgresBackupRole, postgresSuperusers } from "./postgres/roles.ts";
import { postgresExposedTables, postgresRowPoliciesActive, postgresRowSecurityForced } from "./postgres/row-security.ts";
import { postgresPublicCreate } from "./postgres/schema-privileges.ts";
import { postgresSize } from "./postgres/size.ts";
import { postgresTlsConnection, postgresTlsServer } from "./postgres/transport.ts";
import { postgresVersion } from "./postgres/version.ts";
import { databaseFitsItsAllowance } from "./record/allowance.ts";
import { recordAnchored } from "./record/anchoring.ts";
import { recordDrill, recordRecoveryTime } from "./record/drills.ts";
import { recordKeySeparation, recordRecipients, recordRecoveryKit } from "./record/keys.ts";
import { recordLifecycleRules } from "./record/lifecycle.ts";
import { recordLogComplete } from "./record/log.ts";
import { recordLastRun, recordProtected, recordRecoveryPoint } from "./record/protection.ts";
import { recordReplicas, recordReplicasProven } from "./record/replicas.ts";
import { recordRetention } from "./record/retention.ts";
import { recordCopiesChallenged, recordStoresFunded, recordStoresSound } from "./record/stores.ts";

/** Every check, in the order in which reports list them. */
export const allChecks: readonly Check[] = [
  postgresTlsConnection,
  postgresTlsServer,
  postgresHostRules,
  postgresPasswordEncryption,
  postgresPasswordHashes,
  postgresSuperusers,
  postgresBackupRole,
  postgresPublicCreate,
  postgresExposedTables,
  postgresRowPoliciesActive,
  postgresRowSecurityForced,
  postgresLogConnections,
  postgresLogStatements,
  postgresDataChecksums,
  postgresVersion,
  postgresSize,
  mongodbAuthentication,
  mongodbTlsConnection,
  mongodbTlsRequired,
  mongodbRootUsers,
  mongodbPasswordHashes,
  mongodbBackupUser,
  mongodbVersion,
  mongodbSize,
  recordProtected,
  recordRecoveryPoint,
  recordLastRun,
  recordReplicas,
  recordReplicasProven,
  recordDrill,
  recordRecoveryTime,
  databaseFitsItsAllowance,
  recordAnchored,
  recordRetention,
  recordLogComplete,
  recordCopiesChallenged,
  recordStoresSound,
  recordStoresFunded,
  recordLifecycleRules,
  recordRecoveryKit,
  recordKeySeparation,
  recordRecipients,
];
