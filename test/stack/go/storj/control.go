package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"storj.io/common/pb"
	"storj.io/storj/private/revocation"
	"storj.io/storj/private/testplanet"
	"storj.io/storj/satellite/overlay"
	"storj.io/storj/storagenode"
)

// What tests do to the network, as HTTP requests:
//
//	GET  /nodes                {"nodes": 10, "needed": 4, "stopped": [3]}
//	POST /nodes/N/stop         storage node N is gone, and the satellite has noticed, which takes it hours elsewhere
//	POST /nodes/N/start        it is back, with what it had, and the satellite knows
//	POST /nodes/N/lose         it has lost all that it stored, and goes on
func commands(ctx context.Context, planet *testplanet.Planet) http.Handler {
	network := &network{planet: planet, stopped: map[int]bool{}, again: map[int]func(){}}
	for _, node := range planet.StorageNodes {
		// Any port was asked for; the same is wanted again.
		node.Config.Server.Address = node.Addr()
	}
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

func (network *network) stop(ctx context.Context, number int) error {
	if network.stopped[number] {
		return nil
	}
	network.stopped[number] = true
	if end := network.again[number]; end != nil {
		end()
	} else if err := network.planet.StopPeer(network.planet.StorageNodes[number]); err != nil {
		return err
	}
	if err := network.checkIn(ctx, number, time.Now().Add(-24*time.Hour)); err != nil {
		return err
	}
	// What the satellite does about nodes that it does not hear of, which is done once a minute else: whoever tests sees it at once, and always.
	network.planet.Satellites[0].Overlay.DQStrayNodes.Loop.TriggerWait()
	return nil
}

// Tells the satellite when it heard of a node last.
func (network *network) checkIn(ctx context.Context, number int, at time.Time) error {
	satellite, node := network.planet.Satellites[0], network.planet.StorageNodes[number]
	address := node.Config.Server.Address
	_, _, lastNet, err := satellite.Overlay.Service.ResolveIPAndNetwork(ctx, address)
	if err != nil {
		return err
	}
	info := overlay.NodeCheckInInfo{
		NodeID:     node.Identity.ID,
		Address:    &pb.NodeAddress{Address: address},
		IsUp:       true,
		LastNet:    lastNet,
		LastIPPort: address,
		Version:    &pb.NodeVersion{Version: "v0.0.1", CommitHash: "testplanet", Timestamp: at},
		Operator:   &pb.NodeOperator{Email: node.Config.Operator.Email, Wallet: node.Config.Operator.Wallet},
		Capacity:   &pb.NodeCapacity{FreeDisk: node.Config.Storage.AllocatedDiskSpace.Int64()},
	}
	if err := satellite.DB.OverlayCache().UpdateCheckIn(ctx, info, at, satellite.Config.Overlay.Node); err != nil {
		return err
	}
	if err := satellite.API.Overlay.DownloadSelectionCache.Refresh(ctx); err != nil {
		return err
	}
	return satellite.API.Overlay.UploadSelectionCache.Refresh(ctx)
}

// A node cannot run twice, so another takes its identity, its address and its files.
func (network *network) start(ctx context.Context, number int) error {
	if !network.stopped[number] {
		return nil
	}
	old := network.planet.StorageNodes[number]
	config := old.Config
	revocations, err := revocation.OpenDBFromCfg(ctx, config.Server.Config)
	if err != nil {
		return err
	}
	peer, err := storagenode.New(old.Log, old.Identity, old.DB, revocations, config, network.planet.NewVersionInfo(), nil)
	if err != nil {
		return fmt.Errorf("node %d does not start again: %w", number, err)
	}
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
	old.Peer = peer
	network.stopped[number] = false
	return network.checkIn(ctx, number, time.Now())
}

// The planet lets its own nodes lose pieces, and no others.
func (network *network) lose(_ context.Context, number int) error {
	if network.again[number] != nil {
		return fmt.Errorf("node %d was started again, and cannot lose anything", number)
	}
	network.planet.StorageNodes[number].Storage2.PieceBackend.TestingDeleteAllPiecesForSatellite(network.planet.Satellites[0].ID())
	return nil
}
