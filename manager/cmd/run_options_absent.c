/* SPDX-License-Identifier: Apache-2.0 */
/* Options of docker's and podman's run that this one has not, and what to do instead. */
#include "manager/cmd/run_options_groups.h"

#define NO_NETWORK "a container cannot have a network of its own to the outside yet"
#define NO_CARD "a container cannot have a network interface of its own yet"
#define ONE_NETWORK "the host's: --network host; one that was made before: --network ns:PATH"

const struct cmd_absent run_options_absent[] = {
	/* network */
	{ "p publish P publish-all expose", NO_NETWORK,
	  "with --network host it listens at ports of the host" },
	{ "ip ip6 link-local-ip mac-address", NO_CARD, ONE_NETWORK },
	{ "link network-alias net-alias", "containers cannot reach each other by name yet",
	  "those that share a network reach each other at localhost: --network container:NAME" },
	{ "no-hosts no-hostname hosts-file", "/etc/hosts and /etc/hostname are made for each",
	  "to have others: -v ./hosts:/etc/hosts:ro" },
	{ "http-proxy", "no variable of the host is passed on that was not named",
	  "pass them on: -e http_proxy -e https_proxy -e no_proxy" },
	/* users and namespaces */
	{ "userns uidmap gidmap subuidname subgidname",
	  "there are no user namespaces yet: the users inside are those of the host",
	  "to have the program run as another than root: --user; with fewer powers: --cap-drop" },
	{ "hostuser passwd passwd-entry group-entry", "the users inside are those of the image",
	  "numbers need no entry: --user 1000:1000" },
	{ "pod pod-id-file init-ctr", "there are no pods",
	  "what they share: --network container:NAME --ipc container:NAME" },
	{ "requires", "no container waits for another",
	  "start them in their order: cman start NAME NAME" },
	/* devices, limits */
	{ "gpus", "no driver's libraries are brought into a container",
	  "give it the devices: --device /dev/dri, or --device /dev/nvidia0" },
	{ "cgroups", "each container has a control group of its own",
	  "to have it elsewhere: --cgroup-parent" },
	{ "cgroup-conf rdt-class", "control groups are set by the options for limits",
	  "see those of `cman help run`: --memory, --cpus, ..." },
	{ "cpu-rt-period cpu-rt-runtime", "there are no limits of real-time scheduling",
	  "to allow it: --cap-add SYS_NICE --ulimit rtprio=99" },
	{ "kernel-memory", "the kernel has no such limit any more", "--memory counts it, too" },
	{ "storage-opt", "the files that a container writes have no limit of their own",
	  "what is in memory has: --tmpfs /tmp:size=64m" },
	{ "shm-size-systemd systemd", "nothing is set up for systemd alone",
	  "what it needs: --tmpfs /run --tmpfs /tmp --stop-signal RTMIN+3" },
	{ "timeout", "a container runs as long as its program",
	  "end the program: cman run IMAGE timeout 60 COMMAND" },
	/* what runs it */
	{ "runtime runtime-opt", "cman runs containers itself", "leave it out" },
	{ "isolation cpu-count cpu-percent io-maxbandwidth io-maxiops", "it is of Windows alone",
	  "limits of Linux: --cpus, --device-read-bps, --device-write-iops" },
	{ "init-path", "the only init is ctinit", "to have one of the image's: --no-init" },
	{ "conmon-pidfile sdnotify", "nobody else is told of the program's process",
	  "its number: --pidfile FILE; its state: cman events" },
	{ "use-api-socket", "there is no daemon with a socket", NULL },
	{ "preserve-fd", "descriptors are handed on from 3 to the last", "--preserve-fds N" },
	{ "unsetenv unsetenv-all env-merge", "variables of the image cannot be taken away",
	  "an empty one: -e NAME=" },
	{ "health-startup-cmd health-startup-interval health-startup-retries "
	  "health-startup-success health-startup-timeout",
	  "there is one check for all of its life",
	  "to be patient in the beginning: --health-start-period" },
	/* images, volumes */
	{ "os arch variant", "a platform is one word", "--platform linux/arm64" },
	{ "authfile creds", "the credentials are those of `cman login`",
	  "once: cman login REGISTRY" },
	{ "tls-verify cert-dir", "how a registry is spoken to is not said for each run",
	  "for this once: cman pull --insecure; for good: man 5 cman-registries" },
	{ "disable-content-trust decryption-key", "images are neither signed nor encrypted here",
	  "what was published is what its digest says: --image NAME@sha256:..." },
	{ "retry retry-delay", "a pull is tried again by itself",
	  "to say how often: cman pull --retries N" },
	{ "rmi", "an image stays until it is removed", "afterwards: cman rmi IMAGE" },
	{ "image-volume", "volumes of the image are anonymous volumes",
	  "to have memory in place of one: --tmpfs DIRECTORY" },
	{ "volume-driver", "volumes are directories of this host", "leave it out" },
	{ "chrootdirs", "the files of the container are not set up for a chroot inside", NULL },
	{ NULL, NULL, NULL },
};
