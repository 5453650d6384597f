package media

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/google/uuid"
)

// Bounds of what is uploaded.
const (
	// MaxUploadBytes bounds one file: over eight minutes of 16 kHz PCM, over half an hour of 8 kHz A-law.
	MaxUploadBytes = 16 << 20
	leastLength    = 20 * time.Millisecond
)

// Encodings that media nodes play as they are.
const (
	EncodingPCM  = "pcm_s16le"
	EncodingALaw = "alaw" // ITU-T G.711
	EncodingULaw = "ulaw"
)

// Upload is a sound that somebody brings: a WAV file of one channel, with 8,000 or 16,000 samples a second.
type Upload struct {
	Sound
	Encoding string // pcm_s16le, alaw, ulaw
	Rate     int    // samples a second
	Content  []byte // a file that holds the sound and nothing else of what was brought
}

// Refused says why a file is not taken, in words for whoever brought it.
type Refused struct{ Why string }

func (r *Refused) Error() string { return "media: " + r.Why }

// toConvert is how a refused file becomes one that is taken.
const toConvert = "; convert it first: ffmpeg -i FILE -ac 1 -ar 16000 -c:a pcm_s16le FILE.wav"

func refuse(format string, args ...any) error {
	return &Refused{Why: fmt.Sprintf(format, args...) + toConvert}
}

// formatTags are those of "fmt " chunks (Multimedia Programming Interface 1.0; RFC 2361) that are taken, with the bits of a sample.
func formatTags() map[uint16]struct {
	encoding string
	bits     int
} {
	return map[uint16]struct {
		encoding string
		bits     int
	}{1: {EncodingPCM, 16}, 6: {EncodingALaw, 8}, 7: {EncodingULaw, 8}}
}

// extensible is the tag of a format whose own tag begins the GUID behind it; the GUID's end is the same for all of them.
const (
	extensible     = 0xFFFE
	extensibleSize = 40
	extensibleGUID = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"
)

// ReadUpload reads what somebody brings. What is no WAV file that media nodes play well is Refused. The content that it gives is
// written anew: of the file's other chunks (names, pictures, whatever a program left there) nothing is kept.
func ReadUpload(file []byte) (Upload, error) {
	if len(file) > MaxUploadBytes {
		return Upload{}, refuse("it is longer than %d bytes", MaxUploadBytes)
	}
	if known := otherKind(file); known != "" {
		return Upload{}, refuse("it is %s, and no WAV file", known)
	}
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return Upload{}, refuse("it is no WAV file")
	}
	var u Upload
	rest := file[12:]
	for range maxChunks {
		if len(rest) < 8 {
			break
		}
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		body := rest[:min(size, int64(len(rest)))]
		switch {
		case name == "fmt ":
			if err := u.format(body); err != nil {
				return Upload{}, err
			}
		case name == "data" && u.Rate == 0:
			return Upload{}, refuse("it does not say how its sound is written")
		case name == "data":
			const unknown = 0xFFFFFFFF // written by programs that cannot go back
			if size > int64(len(rest)) && size != unknown {
				return Upload{}, &Refused{Why: "it is cut off: there is less sound than it says"}
			}
			return u, u.fill(body)
		}
		rest = rest[min(size+size%2, int64(len(rest))):] // chunks are padded to whole words
	}
	return Upload{}, refuse("it holds no sound")
}

// otherKind tells some files that people take for WAV files.
func otherKind(file []byte) string {
	for _, k := range []struct{ magic, is string }{{"ID3", "an MP3 file"}, {"\xff\xfb", "an MP3 file"}, {"\xff\xf3", "an MP3 file"}, {"\xff\xf2", "an MP3 file"}, {"OggS", "an Ogg file"},
		{"fLaC", "a FLAC file"}, {"FORM", "an AIFF file"}, {"#!AMR", "an AMR file"}, {".snd", "an AU file"}, {"RF64", "a WAV file for more than 4 GB"}} {
		if bytes.HasPrefix(file, []byte(k.magic)) {
			return k.is
		}
	}
	if len(file) > 8 && string(file[4:8]) == "ftyp" {
		return "an MP4 file"
	}
	return ""
}

// format reads a "fmt " chunk.
func (u *Upload) format(body []byte) error {
	const least = 16
	if len(body) < least {
		return refuse("it does not say how its sound is written")
	}
	tag, channels, rate := binary.LittleEndian.Uint16(body), binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint32(body[4:])
	align, bits := binary.LittleEndian.Uint16(body[12:]), binary.LittleEndian.Uint16(body[14:])
	if tag == extensible && len(body) >= extensibleSize && string(body[26:extensibleSize]) == extensibleGUID {
		tag = binary.LittleEndian.Uint16(body[24:])
	}
	is, ok := formatTags()[tag]
	switch {
	case !ok:
		return refuse("its sound is neither PCM nor A-law or u-law, but format %d", tag)
	case int(bits) != is.bits:
		return refuse("its samples have %d bits, and not %d", bits, is.bits)
	case channels != 1:
		return refuse("it has %d channels, and not one", channels)
	case rate != 8000 && rate != 16000:
		return refuse("it has %d samples a second, and neither 8000 nor 16000", rate)
	case int(align) != is.bits/8:
		return refuse("its header contradicts itself")
	}
	u.Encoding, u.Rate = is.encoding, int(rate)
	return nil
}

// fill takes the samples over.
func (u *Upload) fill(samples []byte) error {
	size := 1
	if u.Encoding == EncodingPCM {
		size = 2
	}
	samples = samples[:len(samples)/size*size]
	u.Length = time.Duration(len(samples)/size) * time.Second / time.Duration(u.Rate)
	if u.Length < leastLength {
		return refuse("it holds no sound")
	}
	u.Content = u.written(samples, size)
	u.Bytes = int64(len(u.Content))
	sum := sha256.Sum256(u.Content)
	u.Hash = hex.EncodeToString(sum[:])
	return nil
}

// written is the file as it is kept.
func (u *Upload) written(samples []byte, size int) []byte {
	var tag uint16 = 1
	for t, is := range formatTags() {
		if is.encoding == u.Encoding {
			tag = t
		}
	}
	le := binary.LittleEndian
	format := le.AppendUint16(nil, tag)
	format = le.AppendUint16(format, 1)
	format = le.AppendUint32(format, uint32(u.Rate))
	format = le.AppendUint32(format, uint32(u.Rate*size))
	format = le.AppendUint16(format, uint16(size))
	format = le.AppendUint16(format, uint16(8*size))
	var fact []byte
	if tag != 1 { // RFC 2361: all but PCM say how long what follows is, and how many samples there are
		format = le.AppendUint16(format, 0)
		fact = le.AppendUint32(fact, uint32(len(samples)/size))
	}
	body := []byte("WAVE")
	chunk := func(name string, of []byte) {
		body = append(body, name...)
		body = append(le.AppendUint32(body, uint32(len(of))), of...)
		if len(of)%2 != 0 {
			body = append(body, 0)
		}
	}
	chunk("fmt ", format)
	if fact != nil {
		chunk("fact", fact)
	}
	chunk("data", samples)
	return append(le.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// Store keeps a sound that was brought. Storing it twice is storing it once.
func (f *Folder) Store(u Upload) error {
	to := Kept(u.Hash)
	if _, err := f.root.Stat(to); err == nil {
		return nil
	}
	if err := f.root.MkdirAll(path.Dir(to), 0o775); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	fresh := path.Join(path.Dir(to), "."+uuid.NewString())
	if err := f.writeSynced(fresh, u.Content); err != nil {
		return errors.Join(err, f.remove(fresh))
	}
	if err := f.root.Link(fresh, to); err != nil && !errors.Is(err, fs.ErrExist) {
		return errors.Join(fmt.Errorf("media: %w", err), f.remove(fresh))
	}
	return errors.Join(f.remove(fresh), f.sync(path.Dir(to)), f.sync(kept))
}

func (f *Folder) writeSynced(name string, content []byte) error {
	const readable = 0o444 // nodes run under users of their own; nobody writes to what is kept
	file, err := f.root.OpenFile(name, flagsNew, readable)
	if err != nil {
		return fmt.Errorf("media: %w", err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("media: write: %w", err)
	}
	return nil
}

// OpenKept opens a sound that is kept, to be read. The error wraps fs.ErrNotExist when it is not there.
func (f *Folder) OpenKept(hash string) (io.ReadSeekCloser, error) { return f.open(Kept(hash)) }

// OpenIncoming opens one that is not filed yet.
func (f *Folder) OpenIncoming(name string) (io.ReadSeekCloser, error) { return f.open(Incoming(name)) }
