package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"time"
)

// pinged is what became of one OPTIONS.
type pinged struct {
	Destination string `json:"destination"`
	Answer      string `json:"answer,omitempty"` // "200 OK"
	Error       string `json:"error,omitempty"`
	TookMS      int64  `json:"took_ms,omitempty"`
}

// Bounds of asking a trunk whether it is there.
const (
	pingWait  = 3 * time.Second
	pingAgain = 500 * time.Millisecond // timer T1 of RFC 3261 17.1.1.1
	sipPort   = "5060"
	sipMax    = 8 << 10 // bytes of an answer
)

// statusLine is the first line of an answer (RFC 3261 7.2).
var statusLine = regexp.MustCompile(`^SIP/2\.0 ([1-6][0-9]{2} [ -~]{0,64})`)

// pingAll asks all destinations at once.
func pingAll(ctx context.Context, destinations []string) []pinged {
	all := make([]pinged, len(destinations))
	var asking sync.WaitGroup
	for i, d := range destinations {
		asking.Go(func() { all[i] = ping(ctx, d) })
	}
	asking.Wait()
	return all
}

// ping sends OPTIONS (RFC 3261 11) to a destination and waits for its final answer, whichever it is: whoever answers is there.
func ping(ctx context.Context, destination string) pinged {
	out := pinged{Destination: destination}
	_, rest, _ := strings.Cut(destination, ":")
	host, parameters, _ := strings.Cut(rest, ";")
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), sipPort)
	}
	network := "udp"
	if strings.Contains(parameters, "transport=tcp") {
		network = "tcp"
	} else if parameters != "" && !strings.Contains(parameters, "transport=udp") || strings.HasPrefix(destination, "sips:") {
		out.Error = "this transport is not tried"
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, pingWait)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, network, host)
	if err != nil {
		out.Error = "it cannot be reached"
		return out
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	began := time.Now()
	out.Answer, err = options(c, network, destination)
	if err != nil {
		out.Error = "no answer"
		return out
	}
	out.TookMS = time.Since(began).Milliseconds()
	return out
}

// options writes the request, again while nothing comes over UDP, and reads the answer's first line.
func options(c net.Conn, network, destination string) (string, error) {
	id := rand.Text()
	request := fmt.Sprintf("OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%s\r\nFrom: <sip:tandem@%s>;tag=%s\r\nTo: <%s>\r\nCall-ID: %s\r\n"+
		"CSeq: 1 OPTIONS\r\nContact: <sip:tandem@%s>\r\nMax-Forwards: 70\r\nUser-Agent: Tandem\r\nContent-Length: 0\r\n\r\n",
		destination, strings.ToUpper(network), c.LocalAddr(), id, hostOnly(c.LocalAddr()), id[:8], destination, id, c.LocalAddr())
	for wait := pingAgain; ; wait *= 2 {
		if _, err := c.Write([]byte(request)); err != nil {
			return "", err
		}
		if network == "udp" {
			if err := c.SetReadDeadline(time.Now().Add(wait)); err != nil {
				return "", err
			}
		}
		line, err := bufio.NewReaderSize(c, sipMax).ReadString('\n')
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() && network == "udp" && wait < pingWait {
			continue
		}
		if err != nil {
			return "", err
		}
		found := statusLine.FindStringSubmatch(line)
		if found == nil {
			return "", fmt.Errorf("no SIP")
		}
		return strings.TrimSpace(found[1]), nil
	}
}

func hostOnly(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return "tandem.invalid"
	}
	return host
}
