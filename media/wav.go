package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// ErrNotSound says that a file is no WAV file of PCM, or not a whole one.
var ErrNotSound = errors.New("media: not a WAV file")

// maxChunks bounds the chunks before the samples.
const maxChunks = 64

// wavLength reads how long a WAV file plays: RIFF, a "fmt " chunk that says how many bytes a second there are, and a "data"
// chunk. A file whose writer died says a wrong size of it: what is there counts.
func wavLength(r io.ReaderAt) (time.Duration, error) {
	head := make([]byte, 12)
	if _, err := r.ReadAt(head, 0); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotSound, err)
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return 0, ErrNotSound
	}
	var rate uint32 // bytes a second
	at := int64(12)
	for range maxChunks {
		chunk := make([]byte, 8)
		if _, err := r.ReadAt(chunk, at); err != nil {
			return 0, fmt.Errorf("%w: %w", ErrNotSound, err)
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += int64(len(chunk))
		switch string(chunk[:4]) {
		case "fmt ":
			format := make([]byte, 16)
			if _, err := r.ReadAt(format, at); err != nil {
				return 0, fmt.Errorf("%w: %w", ErrNotSound, err)
			}
			rate = binary.LittleEndian.Uint32(format[8:])
		case "data":
			if rate == 0 {
				return 0, ErrNotSound
			}
			there := bytesFrom(r, at)
			if size == 0 || size > there {
				size = there
			}
			return time.Duration(float64(size) / float64(rate) * float64(time.Second)), nil
		}
		at += size + size%2 // chunks are padded to whole words
	}
	return 0, ErrNotSound
}

// bytesFrom says how many bytes there are from a place on, as far as a sound goes.
func bytesFrom(r io.ReaderAt, at int64) int64 {
	if file, ok := r.(*os.File); ok {
		info, err := file.Stat()
		if err != nil {
			return 0
		}
		return max(0, info.Size()-at)
	}
	n, err := io.Copy(io.Discard, io.NewSectionReader(r, at, MaxSoundBytes))
	if err != nil {
		return 0
	}
	return n
}
