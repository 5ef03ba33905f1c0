// Argo CD's own code, asked as an oracle.
//
// One JSON request per line on stdin, one JSON answer per line on stdout, in order, until stdin ends.
// A request is {"op": …, "id": anything, …}; its answer is {"id": …, "result": …} or {"id": …, "error": "…"}.
// Every request may carry "settings": the data of an argocd-cm ConfigMap (string to string).
//
// op "health"     {object}                → {status, message} or null where the kind has no health
//
//	With built-in Lua rules and those of settings (resource.customizations.health.…).
//
// op "diff"       {live, desired, ignoreDifferences?, prediction?}
//
//	→ {modified, normalizedLive, predictedLive}; live or desired may be null.
//	ignoreDifferences is the list of an Application's spec. With "prediction" (an object) it is the
//	server-side diff and the prediction stands for the API server's dry-run answer.
//
// op "normalize"  {object, ignoreDifferences?} → the object as it is compared (ignored fields removed,
//
//	known types of settings normalised)
//
// op "overrides"  {}                      → the resource overrides that the settings come to
// op "hook"       {object}                → {isHook, skip, types, deletePolicies, wave}
// op "actions"    {object}                → the Lua actions that are offered for the object
// op "action"     {object, action, parameters?} → [{operation, object}] what the action would write
// op "sync"       {targets, live, namespace?, revision?, options?, health?, fail?, clusterScoped?, maxSteps?}
//
//	→ {tasks, steps, phase, message}: a whole sync, step after step, in a simulated cluster.
//	options: {prune, pruneLast, pruneConfirmed, replace, force, serverSideApply, applyOutOfSyncOnly,
//	dryRun, skipHooks, outOfSync: ["Kind/name"]}. health: {"Kind/name": ["Progressing", "Healthy"]}
//	gives the health seen at the first, second, … step after the object was written (the last one
//	stays; without it Healthy, or none for kinds without a health rule). fail: ["Kind/name"] are
//	refused on apply. tasks are Argo CD's own lines "Phase/wave hook|resource group/Kind:ns/name …" in
//	order; each step is {actions: ["apply Kind ns/name", …], phase, message, results: […]}; actions
//	on one kind in a row run at once in Argo CD and are sorted here.
//
// op "cron"       {schedule, after}       → seconds since 1970 of the next time in UTC, 0 for never
// op "windows"    {windows, application, destination, manual} → {canSync, now}: at the moment of asking
// op "project"    {project, repoURL?, destination?, group?, kind?, namespaced?} → {source, destination, kind}: what
//
//	an AppProject's spec permits; destination has server, name and namespace.
//
// op "overlay"    {files, path, kustomize, env, buildOptions} → the objects, or {"fails": true}: files by path, the
//
//	options of spec.source.kustomize, the build environment
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/go-logr/logr"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/klog/v2"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
)

type request struct {
	ID         json.RawMessage                      `json:"id,omitempty"`
	Op         string                               `json:"op"`
	Settings   map[string]string                    `json:"settings"`
	Object     map[string]any                       `json:"object"`
	Live       json.RawMessage                      `json:"live"`
	Desired    map[string]any                       `json:"desired"`
	Prediction map[string]any                       `json:"prediction"`
	Ignores    []v1alpha1.ResourceIgnoreDifferences `json:"ignoreDifferences"`
	Action     string                               `json:"action"`
	Parameters []actionParameter                    `json:"parameters"`
	simulation
	policy
	overlay
}

type actionParameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type answer struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Result any             `json:"result"`
	Error  string          `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard)
	klog.SetLogger(logr.Discard())
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			reply := answerTo(line)
			text, marshalErr := json.Marshal(reply)
			if marshalErr != nil {
				text, _ = json.Marshal(answer{ID: reply.ID, Error: marshalErr.Error()})
			}
			out.Write(append(text, '\n'))
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

func answerTo(line []byte) (reply answer) {
	var req request
	defer func() {
		if p := recover(); p != nil {
			reply = answer{ID: req.ID, Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	if err := json.Unmarshal(line, &req); err != nil {
		return answer{Error: "bad request: " + err.Error()}
	}
	reply.ID = req.ID
	result, err := dispatch(&req)
	if err != nil {
		reply.Error = err.Error()
	}
	reply.Result = result
	return reply
}

func dispatch(req *request) (any, error) {
	switch req.Op {
	case "health":
		return objectHealth(req)
	case "diff":
		return difference(req)
	case "normalize":
		return normalized(req)
	case "overrides":
		return overridesOf(req.Settings)
	case "hook":
		return hookFacts(req)
	case "actions":
		return offeredActions(req)
	case "action":
		return runAction(req)
	case "cron":
		return nextTime(req)
	case "windows":
		return windows(req)
	case "project":
		return permitted(req)
	case "overlay":
		return buildOverlay(req)
	case "sync":
		return simulate(req)
	}
	return nil, fmt.Errorf("unknown op %q", req.Op)
}

// object is nil for a missing or null object. Numbers become int64 or float64 as in Argo CD.
func object(content map[string]any) (*unstructured.Unstructured, error) {
	if content == nil {
		return nil, nil
	}
	text, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	obj := &unstructured.Unstructured{}
	return obj, obj.UnmarshalJSON(text)
}

func objects(contents []map[string]any) ([]*unstructured.Unstructured, error) {
	list := make([]*unstructured.Unstructured, 0, len(contents))
	for _, content := range contents {
		obj, err := object(content)
		if err != nil {
			return nil, err
		}
		list = append(list, obj)
	}
	return list, nil
}
