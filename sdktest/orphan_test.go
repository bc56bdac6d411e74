package sdktest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestNoOrphan: a gateway that tests started does not outlive them, not even where
// they are killed.
func TestNoOrphan(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends a program with the one that started it")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), orphaning+"="+string(shared.program), "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	address := strings.TrimPrefix(strings.TrimSpace(line), "http://")
	conn, err := d.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err = conn.Read(make([]byte, 1))
	// The kernel closes what a process that ends has open in an order of its own: where
	// it listens maybe after this.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		again, derr := d.DialContext(ctx, "tcp", address)
		if errors.Is(derr, syscall.ECONNREFUSED) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the gateway at %s still runs: %v, %v", address, err, derr)
		}
		if derr == nil {
			_ = again.Close()
		}
		runtime.Gosched()
	}
}

// orphaning is the variable that makes this program one that starts a gateway, says
// where it is, and waits for its end.
const orphaning = "ARATTA_TEST_ORPHAN"

func orphan(program binary) int {
	dir, err := os.MkdirTemp("", "aratta-orphan")
	if err != nil {
		return 1
	}
	p, err := program.serve(context.Background(), dir, "[server]\nhost = \"127.0.0.1\"\n")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(p.url)
	<-p.end
	return 0
}
