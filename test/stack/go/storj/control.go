package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"storj.io/storj/private/revocation"
	"storj.io/storj/private/testplanet"
	"storj.io/storj/storagenode"
)

// What tests do to the network, as HTTP requests:
//
//	GET  /nodes                {"nodes": 10, "needed": 4, "stopped": [3]}
//	POST /nodes/N/stop         storage node N is gone, with nobody told
//	POST /nodes/N/start        it is back, with what it had
//	POST /nodes/N/lose         it has lost all that it stored, and goes on
func commands(ctx context.Context, planet *testplanet.Planet) http.Handler {
	network := &network{planet: planet, stopped: map[int]bool{}, again: map[int]func(){}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /nodes", func(answer http.ResponseWriter, _ *http.Request) {
		network.mutex.Lock()
		defer network.mutex.Unlock()
		stopped := []int{}
		for number := range network.planet.StorageNodes {
			if network.stopped[number] {
				stopped = append(stopped, number)
			}
		}
		_ = json.NewEncoder(answer).Encode(map[string]any{"nodes": storageNodes, "needed": neededPieces, "stopped": stopped})
	})
	for name, act := range map[string]func(context.Context, int) error{"stop": network.stop, "start": network.start, "lose": network.lose} {
		mux.HandleFunc("POST /nodes/{number}/"+name, func(answer http.ResponseWriter, request *http.Request) {
			network.mutex.Lock()
			defer network.mutex.Unlock()
			number, err := strconv.Atoi(request.PathValue("number"))
			if err != nil || number < 0 || number >= len(network.planet.StorageNodes) {
				http.Error(answer, "there is no such node", http.StatusNotFound)
				return
			}
			if err := act(ctx, number); err != nil {
				http.Error(answer, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	return mux
}

type network struct {
	planet  *testplanet.Planet
	mutex   sync.Mutex
	stopped map[int]bool
	// Ends what was started again; the planet knows its first nodes only.
	again map[int]func()
}

func (network *network) stop(_ context.Context, number int) error {
	if network.stopped[number] {
		return nil
	}
	network.stopped[number] = true
	if end := network.again[number]; end != nil {
		end()
		return nil
	}
	return network.planet.StopPeer(network.planet.StorageNodes[number])
}

// A node cannot run twice, so another takes its identity, its address and its files.
func (network *network) start(ctx context.Context, number int) error {
	if !network.stopped[number] {
		return nil
	}
	old := network.planet.StorageNodes[number]
	config := old.Config
	config.Server.Address = old.Addr()
	revocations, err := revocation.OpenDBFromCfg(ctx, config.Server.Config)
	if err != nil {
		return err
	}
	peer, err := storagenode.New(old.Log, old.Identity, old.DB, revocations, config, network.planet.NewVersionInfo(), nil)
	if err != nil {
		return fmt.Errorf("node %d does not start again: %w", number, err)
	}
	peer.Storage2.PieceBackend.TestingEnableMethods()
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = peer.Run(running)
	}()
	network.again[number] = func() {
		cancel()
		<-ended
		_ = peer.Close()
		_ = revocations.Close()
	}
	network.planet.StorageNodes[number].Peer = peer
	network.stopped[number] = false
	return nil
}

func (network *network) lose(_ context.Context, number int) error {
	network.planet.StorageNodes[number].Storage2.PieceBackend.TestingDeleteAllPiecesForSatellite(network.planet.Satellites[0].ID())
	return nil
}
