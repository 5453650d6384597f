package tenants

// Users, devices, numbers and routes of a platform are millions of short texts. As strings each is a pointer that the collector of
// garbage follows in every cycle, which was a tenth of the time of a worker with a million numbers. So a snapshot keeps the things of
// one kind of one tenant one after the other in one text, the length before each part, and makes a value of one when it is asked for.
type rows struct {
	text string
	at   []uint32 // where each begins
}

func (r *rows) count() int { return len(r.at) }

// row is the start of one, to be read part by part.
func (r *rows) row(place int) unpacking { return unpacking{r.text, int(r.at[place])} }

// part reads one part of one.
func (r *rows) part(place, part int) string {
	from := r.row(place)
	for range part {
		from.skip()
	}
	return from.next()
}

// within are some of them.
func (r rows) within(from, until int) rows { return rows{r.text, r.at[from:until:until]} }

// row adds one of these parts.
func (w *packing) row(parts ...string) {
	w.at = append(w.at, uint32(len(w.text)))
	for _, p := range parts {
		w.put(p)
	}
}

func (w *packing) rows() rows { return rows{string(w.text), w.at} }

// all reads every one.
func all[T any](r *rows, read func(place int) T) []T {
	if r.count() == 0 {
		return nil
	}
	list := make([]T, r.count())
	for i := range list {
		list[i] = read(i)
	}
	return list
}

// people are the users, devices and numbers of a tenant as a snapshot keeps them.
type people struct {
	users, devices, numbers rows
}

// Parts of a row, by their place.
const (
	userID, userExtension             = 0, 2
	deviceID, deviceUser, devUsername = 0, 1, 3
)

// pack brings the tenant's users, devices and numbers into the form in which snapshots keep them: they are there by AllUsers,
// AllDevices and AllNumbers alone then.
func (t *Tenant) pack() {
	w := packing{at: make([]uint32, 0, len(t.Users)+len(t.Devices)+len(t.Numbers))}
	for i := range t.Users {
		u := &t.Users[i]
		w.row(u.ID, u.Name, u.Extension, u.Number)
	}
	for i := range t.Devices {
		d := &t.Devices[i]
		w.row(d.ID, d.UserID, d.Name, d.Username)
	}
	for _, n := range t.Numbers {
		w.row(n)
	}
	r, devices, numbers := w.rows(), len(t.Users), len(t.Users)+len(t.Devices)
	t.people = people{users: r.within(0, devices), devices: r.within(devices, numbers), numbers: r.within(numbers, r.count())}
	t.Users, t.Devices, t.Numbers = nil, nil, nil
}

func (t *Tenant) user(place int) User {
	r := t.people.users.row(place)
	return User{ID: r.next(), Name: r.next(), Extension: r.next(), Number: r.next()}
}

func (t *Tenant) device(place int) Device {
	r := t.people.devices.row(place)
	return Device{ID: r.next(), UserID: r.next(), Name: r.next(), Username: r.next()}
}

func (t *Tenant) number(place int) string { return t.people.numbers.part(place, 0) }

// AllUsers gives the tenant's users in the order of configuration, whether or not it is in a snapshot.
func (t *Tenant) AllUsers() []User {
	if len(t.Users) > 0 {
		return t.Users
	}
	return all(&t.people.users, t.user)
}

// AllDevices gives the tenant's devices in the order of configuration, whether or not it is in a snapshot.
func (t *Tenant) AllDevices() []Device {
	if len(t.Devices) > 0 {
		return t.Devices
	}
	return all(&t.people.devices, t.device)
}

// AllNumbers gives the tenant's numbers, whether or not it is in a snapshot.
func (t *Tenant) AllNumbers() []string {
	if len(t.Numbers) > 0 {
		return t.Numbers
	}
	return all(&t.people.numbers, t.number)
}

// unpacked is the tenant as it was loaded.
func (t *Tenant) unpacked() Tenant {
	loaded := *t
	loaded.Users, loaded.Devices, loaded.Numbers, loaded.people = t.AllUsers(), t.AllDevices(), t.AllNumbers(), people{}
	return loaded
}

// packRoutes does for the routes of a version what pack does for users.
func (p *Published) packRoutes() {
	if len(p.Routes) == 0 {
		return
	}
	w := packing{at: make([]uint32, 0, len(p.Routes))}
	for _, r := range p.Routes {
		prefix := ""
		if r.Prefix {
			prefix = "*"
		}
		w.row(r.Dialled, prefix, r.FlowID)
	}
	p.routes, p.Routes = w.rows(), nil
}

func (p *Published) route(place int) Route {
	r := p.routes.row(place)
	return Route{Dialled: r.next(), Prefix: r.next() != "", FlowID: r.next()}
}

// AllRoutes gives the version's routes, in whichever form they are there.
func (p *Published) AllRoutes() []Route {
	if len(p.Routes) > 0 {
		return p.Routes
	}
	return all(&p.routes, p.route)
}
