package routing

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"tandem/tenants"
)

// A tenant may give a version of its configuration to a share of its new calls before all get it. Which calls those are is
// decided here, by nothing but the request and the snapshot, so a dry run and a replay come to the same.
//
// A caller is in or out as a whole: he meets one behaviour however often he calls, and who has had the candidate keeps it while the
// share grows. Another candidate falls to other callers. Calls from withheld numbers have no caller to be known by, and are
// taken one by one.

// choose gives the call the tenant's candidate version, if it is one of those that get it.
func (d *decider) choose() {
	if d.tenant == nil || d.tenant.Candidate.Share == 0 {
		return
	}
	c := d.tenant.Candidate
	caller := d.Caller.Number
	if caller == "" || caller == anonymous {
		caller = d.request.Call
	}
	if Bucket(d.tenant.ID, c.Version, caller) >= c.Share {
		return
	}
	candidate := d.tenant.At(c.Version)
	if candidate == nil {
		return // a snapshot that does not hold together gives nobody what it has not
	}
	d.tenant, d.flow, d.Version = candidate, tenants.FlowHead{}, c.Version
	d.explain("version_on_trial", "version", strconv.FormatInt(c.Version, 10), "share", strconv.Itoa(c.Share))
}

// Bucket is the place of a caller among a hundred for a tenant's candidate version, 0 to 99: those below the share get it. It must
// not change from one release to the next, as workers of both decide side by side.
func Bucket(tenant string, version int64, caller string) int {
	const buckets = 100
	sum := sha256.Sum256([]byte(tenant + "\x00" + strconv.FormatInt(version, 10) + "\x00" + caller))
	return int(binary.BigEndian.Uint64(sum[:8]) % buckets)
}
