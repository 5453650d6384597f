package fstest

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"time"
)

// wavHead is as much of a sound file as is looked at: what it says of itself stands before its samples.
const wavHead = 4096

// wavLength is how long a WAV file on this machine plays, as far as its header tells; ok is false for a name that is no such file.
func wavLength(name string) (length time.Duration, ok bool) {
	if !filepath.IsAbs(name) || filepath.Ext(name) != ".wav" {
		return 0, false
	}
	file, err := os.Open(name)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	head := make([]byte, wavHead)
	n, _ := io.ReadFull(file, head) // a short file is whole
	head = head[:n]
	const riff, chunkHead, bytesASecond = 12, 8, 8
	if n < riff || string(head[:4]) != "RIFF" || string(head[8:riff]) != "WAVE" {
		return 0, false
	}
	var rate uint32
	for at := riff; at >= riff && at+chunkHead <= n; {
		size := int(binary.LittleEndian.Uint32(head[at+4:]))
		switch body := at + chunkHead; {
		case string(head[at:at+4]) == "fmt " && body+bytesASecond+4 <= n:
			rate = binary.LittleEndian.Uint32(head[body+bytesASecond:])
		case string(head[at:at+4]) == "data" && rate > 0:
			return time.Duration(size) * time.Second / time.Duration(rate), true
		}
		at += chunkHead + size + size%2
	}
	return 0, false
}
