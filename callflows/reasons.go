package callflows

import "tandem/because"

// Reasons are the words for all codes of the engine and its elements.
func Reasons() (because.Catalog, error) {
	all := []because.Catalog{engineReasons(), joinReasons(), transferReasons(), fetchReasons(), settingReasons(), moveReasons(), rescueReasons()}
	for _, e := range elementTypes {
		all = append(all, e.reasons())
	}
	return because.Merge(all...)
}

func engineReasons() because.Catalog {
	return because.Catalog{
		"flow_started":         "{caller} called {dialled}: the flow {flow} begins.",
		"version_missing":      "Version {version} of the configuration, with which the call began, cannot be had by this worker: the call goes on under version {now}.",
		"element_anew":         "In this version {element} is another element: it begins anew.",
		"flow_anew":            "In this version the call's element is not there: the flow {flow} begins anew.",
		"version_unknown":      "Which version of the configuration the call began with is not known: it goes on under version {version}.",
		"flow_missing":         "The flow {flow} is not there.",
		"element_missing":      "The flow leads to the element {element}, which is not there.",
		"too_many_elements":    "The call has passed {limit} elements: the flow runs in a circle.",
		"exit_taken":           "Exit {exit} leads to {element}.",
		"exit_leads_nowhere":   "Exit {exit} leads nowhere, so the call ends with {cause}.",
		"node_refused":         "The media node refused an order ({detail}).",
		"end_ordered":          "Hung up by {by} through the API ({reason}).",
		"resumed":              "Tandem took the call up again after a gap: {element} begins anew.",
		"hung_up_again":        "Tandem took the call up again after a gap: the caller's leg is hung up once more ({cause}).",
		"step_panicked":        "A fault in Tandem ({detail}) ended the call at the event {event}.",
		"event_before_park":    "An event ({event}) came before the call had parked.",
		"event_after_end":      "An event ({event}) came after the call had ended.",
		"http_answered":        "An HTTP request that nothing waits for came to its end ({outcome}).",
		"parked_again":         "The media node parked the call once more.",
		"leg_rang":             "{device} rings.",
		"leg_answered":         "{device} answered.",
		"early_media":          "The caller hears what {device} sends before it answers.",
		"leg_ended":            "{device} is out of the call: {cause}, ended by {by}.",
		"talking":              "The caller talks to {device}.",
		"talked":               "They no longer talk.",
		"caller_hung_up":       "The caller hung up ({cause}).",
		"caller_gave_up":       "The caller gave up before anybody answered ({cause}).",
		"caller_hung_up_by_us": "The caller's leg was ended with {cause}.",
		"callee_ended_call":    "The called side hung up, and the caller's leg was ended with it ({cause}).",
		"node_hung_up":         "The media node ended the caller's leg by itself ({cause}).",
		"ended_unattended":     "The call outlived the worker that drove it, and ended with {cause}.",
		"call_ended":           "The call is over.",
	}
}
