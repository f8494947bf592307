// A whole Storj network in one process, for tests: a satellite, storage nodes, and the S3 gateway that is shipped to users.
// Nothing outlives it: it begins empty at every start.
//
//	storj GATEWAY CONTROL GRANT
//
// Listens on two loopback addresses (host:port): S3, and commands (see control.go). Writes the access grant to the file GRANT.
// Needs STORJ_TEST_POSTGRES, the URL of a PostgreSQL database of its own, and MINIO_ACCESS_KEY and MINIO_SECRET_KEY for S3.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/minio/cli"
	"go.uber.org/zap"

	"storj.io/common/macaroon"
	"storj.io/common/testcontext"
	"storj.io/gateway/miniogw"
	minio "storj.io/minio/cmd"
	"storj.io/storj/private/testplanet"
	"storj.io/storj/satellite"
	"storj.io/uplink"
)

const (
	storageNodes = 10
	// Of ten pieces of every segment any four are enough, as on the real network any 29 of 80.
	neededPieces, repairPieces, storedPieces = 4, 6, 10
)

func main() {
	if len(os.Args) != 4 {
		fail(errors.New("usage: storj GATEWAY CONTROL GRANT"))
	}
	gateway, control, grant := os.Args[1], os.Args[2], os.Args[3]
	if err := awaitPostgres(os.Getenv("STORJ_TEST_POSTGRES"), time.Minute); err != nil {
		fail(err)
	}
	// The network comes as a part of tests, and the testing package looks for flags of its own.
	os.Args = os.Args[:1]
	everything := func(_, _ string) (bool, error) { return true, nil }
	run := func(t *testing.T) {
		testplanet.Run(t, planet, func(t *testing.T, ctx *testcontext.Context, planet *testplanet.Planet) {
			if err := serve(ctx, planet, gateway, control, grant); err != nil {
				t.Fatal(err)
			}
		})
	}
	testing.Main(everything, []testing.InternalTest{{Name: "storj", F: run}}, nil, nil)
}

var planet = testplanet.Config{
	SatelliteCount:   1,
	StorageNodeCount: storageNodes,
	UplinkCount:      1,
	NonParallel:      true,
	// The default would end the network after three minutes.
	Timeout: 365 * 24 * time.Hour,
	Reconfigure: testplanet.Reconfigure{
		Satellite: testplanet.Combine(
			testplanet.ReconfigureRS(neededPieces, repairPieces, storedPieces, storedPieces),
			func(_ *zap.Logger, _ int, config *satellite.Config) {
				// Tests make a bucket each.
				config.Metainfo.ProjectLimits.MaxBuckets = 1000
				// As everywhere: who was away for a day is a node again when it is back. The default for tests disqualifies for ever
				// after five minutes.
				config.StrayNodes.MaxDurationWithoutContact = 30 * 24 * time.Hour
				// Mail is never sent, but its templates must be there; those of the sources are not where this was built from.
				config.Mail.TemplatePath = mailTemplates()
			},
		),
		Uplink: func(_ *zap.Logger, _ int, config *testplanet.UplinkConfig) {
			// Keys of older versions may not lock objects.
			config.APIKeyVersion = macaroon.APIKeyVersionObjectLock
		},
	},
}

func mailTemplates() string {
	folder, err := os.MkdirTemp("", "mail")
	if err != nil {
		fail(err)
	}
	for _, name := range []string{"none.html", "none.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			fail(err)
		}
	}
	return folder
}

func serve(ctx *testcontext.Context, planet *testplanet.Planet, gateway, control, grant string) error {
	access := planet.Uplinks[0].Access[planet.Satellites[0].ID()]
	serialized, err := access.Serialize()
	if err != nil {
		return err
	}
	if err := os.WriteFile(grant, []byte(serialized+"\n"), 0o600); err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- http.ListenAndServe(control, commands(ctx, planet)) }()
	go func() { ended <- serveS3(gateway, access) }()
	// A signal ends the process from within the gateway.
	return <-ended
}

// As the gateway's own main does it; that is no package.
func serveS3(address string, access *uplink.Access) error {
	settings := miniogw.S3CompatibilityConfig{
		IncludeCustomMetadataListing: true,
		MaxKeysLimit:                 1000,
		// As for projects of Storj's that were made since December 2025: no listing by half a name.
		MaxKeysExhaustiveLimit:   1,
		MaxUploadsLimit:          1000,
		MinPartSize:              5 << 20,
		DeleteObjectsConcurrency: 100,
	}
	single := miniogw.NewSingleTenantGateway(zap.L(), access, uplink.Config{}, miniogw.NewStorjGateway(settings), false)
	err := minio.RegisterGatewayCommand(cli.Command{
		Name:   "storj",
		Action: func(flags *cli.Context) error { minio.StartGateway(flags, single); return nil },
	})
	if err != nil {
		return err
	}
	minio.Main([]string{"storj", "gateway", "storj", "--address", address, "--quiet", "--compat"})
	return errors.New("the gateway has ended")
}

// Waits until the database answers, and empties it of what an earlier network left.
func awaitPostgres(url string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		connection, err := pgx.Connect(ctx, url)
		if err == nil {
			defer func() { _ = connection.Close(ctx) }()
			_, err = connection.Exec(ctx, dropSchemas)
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

const dropSchemas = `do $$ declare name text; begin
  for name in select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$|^public$' loop
    execute format('drop schema %I cascade', name);
  end loop;
end $$`

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
