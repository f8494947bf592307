// Command tlog reads a transparency log with the Go project's and torchwood's code, and shares none with dbgov. It checks every
// signature, tile, entry and proof that it is given, and prints what it found as JSON.
//
//	tlog read FOLDER VKEY [WITNESS_VKEY...]     the log in a folder (checkpoint and tile/ below it)
//	tlog proof FILE ENTRY_FILE VKEY             one .tlog-proof
//	tlog witness REQUEST_FILE VKEY WITNESS_VKEY RESPONSE_FILE   an answer of a witness to add-checkpoint
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	commands := map[string]func([]string) (any, error){"read": read, "proof": proof, "witness": witness}
	if len(os.Args) < 3 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: tlog read|proof|witness ..."))
	}
	result, err := commands[os.Args[1]](os.Args[2:])
	if err != nil {
		fail(err)
	}
	json.NewEncoder(os.Stdout).Encode(result)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// open returns the checkpoint once the log's signature and every cosignature of the witnesses are found right.
func open(signed []byte, vkey string, witnesses []string) (torchwood.Checkpoint, []int64, error) {
	var none torchwood.Checkpoint
	log, err := note.NewVerifier(vkey)
	if err != nil {
		return none, nil, err
	}
	verifiers := []note.Verifier{log}
	for _, w := range witnesses {
		v, err := torchwood.NewCosignatureVerifier(w)
		if err != nil {
			return none, nil, err
		}
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(signed, note.VerifierList(verifiers...))
	if err != nil {
		return none, nil, err
	}
	if len(n.Sigs) != len(verifiers) {
		return none, nil, fmt.Errorf("%d signatures are valid, not %d", len(n.Sigs), len(verifiers))
	}
	var times []int64
	for _, sig := range n.Sigs[1:] {
		t, err := torchwood.CosignatureTimestamp(sig)
		if err != nil {
			return none, nil, err
		}
		times = append(times, t)
	}
	c, err := torchwood.ParseCheckpoint(n.Text)
	if err == nil && c.Origin != log.Name() {
		err = fmt.Errorf("origin %q is not the key's name", c.Origin)
	}
	return c, times, err
}

func read(args []string) (any, error) {
	signed, err := os.ReadFile(args[0] + "/checkpoint")
	if err != nil {
		return nil, err
	}
	c, times, err := open(signed, args[1], args[2:])
	if err != nil {
		return nil, err
	}
	files, err := torchwood.NewTileFS(os.DirFS(args[0]))
	if err != nil {
		return nil, err
	}
	client, err := torchwood.NewClient(files)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	var bytes, proofs int
	for index, entry := range client.AllEntries(ctx, c.Tree, 0) {
		bytes += len(entry)
		if index%97 != 0 && index != c.N-1 {
			continue
		}
		again, p, err := client.Entry(ctx, c.Tree, index)
		if err != nil {
			return nil, err
		}
		if err := tlog.CheckRecord(p, c.N, c.Hash, index, tlog.RecordHash(again)); err != nil {
			return nil, err
		}
		proofs++
	}
	if err := client.Err(); err != nil {
		return nil, err
	}
	return map[string]any{
		"origin": c.Origin, "size": c.N, "root": fmt.Sprintf("%x", c.Hash[:]), "bytes": bytes, "proofs": proofs, "cosigned": times,
	}, nil
}

func proof(args []string) (any, error) {
	content, err := os.ReadFile(args[0])
	if err != nil {
		return nil, err
	}
	entry, err := os.ReadFile(args[1])
	if err != nil {
		return nil, err
	}
	head, signed, found := strings.Cut(string(content), "\n\n")
	lines := strings.Split(head, "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		return nil, fmt.Errorf("not a tlog-proof")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return nil, err
	}
	var p tlog.RecordProof
	for _, line := range lines[2:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		p = append(p, h)
	}
	c, _, err := open([]byte(signed), args[2], nil)
	if err != nil {
		return nil, err
	}
	return map[string]any{"index": index, "size": c.N}, tlog.CheckRecord(p, c.N, c.Hash, index, tlog.RecordHash(entry))
}

func witness(args []string) (any, error) {
	request, err := os.ReadFile(args[0])
	if err != nil {
		return nil, err
	}
	response, err := os.ReadFile(args[3])
	if err != nil {
		return nil, err
	}
	_, signed, _ := strings.Cut(string(request), "\n\n")
	c, times, err := open([]byte(signed+string(response)), args[1], args[2:3])
	if err != nil {
		return nil, err
	}
	return map[string]any{"size": c.N, "root": base64.StdEncoding.EncodeToString(c.Hash[:]), "cosigned": times}, nil
}
