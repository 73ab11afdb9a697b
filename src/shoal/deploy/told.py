"""What the codes of findings about targets mean: of clouds, of Kubernetes, of gateways and meshes. Pure.

A finding itself names services, settings and values; here stands what is the matter, and what can be done about it.
"""

from collections.abc import Mapping

_ENGINE = (
    "An engine that lives in one process or on one machine is meant for a service. Declare which one it is meant "
    "for, or choose one: `choose = ['SERVICE.ROLE=...']`."
)
_OTHERS = "An engine is run by somebody else than this cloud. Fill in the secret with its address."
_LACKS = "A service would not start: a setting is missing. Write it into the environment's file, under `[settings]`."
_NOBODY = "The environment's file sets what no service reads, or what is a secret and has to be kept as one."
_SIZED = "The environment's file gives a size to a service that there is not."
_REGION = "A second region is asked for where none is written. Leave out `[standby]`, or run containers otherwise."
_TOKENS = "Tokens are verified by the services, not before them. Nothing is let through that a service would refuse."
_LEGACY = "The old application is not reached through this gateway. Add its routes by hand, or take its paths over."
_VERSIONS = "Versions are found by their paths only: no header is looked at. Clients call `/v2/...`."
_PLAIN = (
    "Calls between services are let through by service and not by operation. A mesh in Kubernetes tells operations "
    "apart."
)

_CACHES = "Caches are empty in the second region: sessions, leases and kept results are not copied."
_COPIES = "No copies run in the second region before it takes over. Leave out `standby.copies`."
_EVENTS = "Events that were published and not heard stay in the first region, and are heard when it is back."

_AWS: Mapping[str, str] = {
    "01": _ENGINE,
    "02": _OTHERS,
    "03": _TOKENS,
    "04": "A rate limit does not hold for each caller: an HTTP API counts all together. The firewall limits addresses.",
    "05": "An operation is not served, or ends early: an HTTP API has no WebSockets, and ends after 30 s.",
    "06": _LEGACY,
    "07": _VERSIONS,
    "08": "The headers by which answers protect browsers are not added. A distribution of CloudFront can.",
    "09": _LACKS,
    "10": _PLAIN,
    "11": "The size of bodies is not bounded by the API as declared: above 10 MiB it refuses, below the service does.",
    "12": "No firewall stands before the API. Apply `firewall.yaml`, and name what it made: `web_acl`.",
    "13": "A header cannot be changed: AWS keeps it to itself.",
    "14": _NOBODY,
    "15": _SIZED,
    "16": "There are more routes than an API may have at first. Ask AWS for a higher quota.",
    "17": "A topic is heard by more queues than SNS allows in order. Choose another broker, or divide the publisher.",
    "18": "Nobody hears the alarms. Write who does: `alarms`.",
    "19": "Passwords of engines stay as they are. Count `passwords` up, and apply.",
    "20": "App Mesh has ended. Take Istio, or Fargate, which has Service Connect.",
    "21": "Nodes do not follow the load by themselves. Install an autoscaler of nodes.",
    "22": "The gateway has no address outside, as there are no public subnets. Write `gateways`.",
    "23": "Certificate, zone and firewall are an API's; a gateway in the cluster reads neither. Keep "
    "the certificate in the Secret `edge-certificate`.",
    "24": "The gateway does not know the pool of users. Declare it as an issuer.",
    "25": "A service is called like something that is made beside it. Name it after what it does.",
    "26": "Databases let in every node of the cluster: policies hold back pods that have none, passwords the others.",
    "27": "A text would be read as the name of a variable by an HTTP API. Let the service set it.",
    "30": _REGION,
    "31": "DocumentDB of this size cannot follow in a second region. Take a larger one: `[engines] mongo`.",
    "32": "Indexes begin empty in the second region; services fill them from their stores when they start there.",
    "33": "A table is copied item by item, so a transaction may have arrived in part. PostgreSQL arrives whole.",
    "34": "An engine is run by others, and nothing of it is copied. Have them be reached from there, too.",
    "35": "Messages in queues and dead letters stay in the first region. Look at dead letters before they are too old.",
    "36": "People who sign in at one pool of users are not known in the other. Declare an issuer outside of both.",
    "37": "The API has no name of its own in the second region. Write `[standby] certificate`.",
    "38": "Clients are not led to the second region by themselves. Write `zone`, or change the record by hand.",
    "39": "Records and rights are changed in us-east-1, the region that may be gone. Let it be the second one.",
    "40": "A setting has the address of the first region. Write `[standby.settings]`.",
    "41": "Facts in the warehouse of one region are not in that of the other.",
    "42": "What is forwarded is no event of the system, or its broker is not SNS. Write ids such as orders.placed.v1.",
    "43": "An event in binary mode cannot go out: a pipe does not see its type. Declare it without `mode='binary'`.",
    "44": "Personal data in an event is sealed, also for who hears it outside. Publish what they may know by itself.",
    "45": "The API has a firewall in the first region alone. Apply `standby/firewall.yaml`, and name what it made.",
    "46": "There is `[mail]`, and no service sends any. Leave it out.",
}

_AZURE: Mapping[str, str] = {
    "01": _ENGINE,
    "02": _OTHERS,
    "03": "Another engine stands for the one that is meant, which Azure does not run. Choose it where somebody does.",
    "04": _TOKENS,
    "05": "An operation is not served, or ends early: API Management has no WebSockets as operations, and ends after "
    "240 s.",
    "06": _LEGACY,
    "07": _VERSIONS,
    "08": "The gateway is of a tier that promises nothing. Take another one: `gateway = 'StandardV2_1'`.",
    "09": _LACKS,
    "10": _PLAIN,
    "11": "The vault is closed to whoever applies the files from outside its network. Say from where: `operators`.",
    "12": "A service of Azure has an address outside, where identities alone get in. `Premium` has one inside.",
    "13": "Databases of this size have no second copy in another zone. Take a larger one.",
    "14": _NOBODY,
    "15": _SIZED,
    "16": "A service's name is no name of a container app, by which others could call it. Name it otherwise.",
    "17": "A setting would be read by everyone that is an address with a name in it. Fill in the secret instead.",
    "19": "A rate limit is counted in windows: all of a window may come at once.",
    "20": "E-mail is sent with a password. Fill in the secret, or send by the interface of Communication Services.",
    "21": "A limit is for each address, since the gateway does not verify who the principal is. Say so: by='address'.",
    "22": "A '*' in a path would be anything to API Management, and lead further than is declared. Write another path.",
    "23": "No mail goes out in the name of a domain before Azure has seen its records. Follow the folder's README.",
    "24": "Mail goes out in the name of a domain of Azure's, which may send little. Write `[mail] domain`.",
    "25": "What mail is told to is a variable that no service that sends mail reads. Name one that does.",
    "26": "There is `[mail]`, and no service sends any. Leave it out.",
    "27": "The second region does not know what Azure called the domain of the first. Write `[mail] domain`.",
    "30": _REGION,
    "31": "A registry of this tier has images in one region alone. Take `engines.registry = 'Premium'`.",
    "32": "Databases of this size cannot be copied. Take a larger one: `engines.postgres`.",
    "33": _CACHES,
    "34": "Objects are copied to the paired region alone, and the second region is another one. Take the pair.",
    "35": _COPIES,
    "36": "Each region has a gateway with an address of its own. Change the record in your DNS when you take over.",
    "37": "Messages in topics and dead letters stay in the first region; outboxes publish theirs again.",
    "38": "Secrets that somebody fills in are brought to the second region by hand, again after each change.",
    "39": "An environment with a second region is written in Terraform alone.",
}

_GCP: Mapping[str, str] = {
    "01": _ENGINE,
    "02": _OTHERS,
    "03": _TOKENS,
    "04": "A rate limit does not hold at the door, or over a window of its own. A balancer with its firewall counts.",
    "05": "An operation is not served: an API Gateway has no WebSockets. Take a balancer: `hosts`.",
    "06": _LEGACY,
    "07": _VERSIONS,
    "09": _LACKS,
    "10": "Services behind the balancer are reached by everything in the network, too, and verify tokens there.",
    "11": "The size of bodies is not bounded by the door as declared: above 32 MiB it refuses, below the service does.",
    "12": "Requests in progress get less time than declared when an instance goes. Clients come again.",
    "13": "The query of an operation is not changed at the door. Read it in the service as it came.",
    "14": _NOBODY,
    "15": _SIZED,
    "16": "There are more routes than a balancer has rules. Divide the system, or take a gateway.",
    "17": "Another engine stands for the one that is meant, which Google does not run. Choose it where somebody does.",
    "18": "Objects are reached by a key, which somebody has to make. Fill in its secret.",
    "19": "Services that have a part of the cache could see each other's: Memorystore knows no users.",
    "20": "There are more limits than a project has rules at first. Ask Google for a higher quota of Cloud Armor.",
    "21": "An API Gateway answers no preflight of browsers by itself. Take a balancer: `hosts`.",
    "22": "A service has one instance at rest, since it works while nobody asks it.",
    "23": "The project's id is a guess, and may be somebody else's. Write whose it is: `project`.",
    "24": "The budget is of no billing account, and nobody hears of it. Write `billing`.",
    "25": "Nobody hears the alarms. Write who does: `alarms`.",
    "26": "An operation is not served: an API Gateway changes no path with parameters. Take a balancer: `hosts`.",
    "27": "API Gateway is not known to be in this region. Take a balancer, or a region that has it.",
    "28": "A limit is for each address, since a firewall does not verify who the principal is. Say so: by='address'.",
    "29": "A '*' in a path would be anything to Google's doors, and lead further than is declared. Write another path.",
    "30": _REGION,
    "31": "Firestore is not in two regions of this part of the world. Take another one, or documents in PostgreSQL.",
    "32": "An API Gateway belongs to one region. Take a balancer: `hosts`.",
    "33": _CACHES,
    "34": "Facts in BigQuery are not copied; new ones begin in the second region. Ask both datasets.",
    "35": _COPIES,
    "36": "Programs that are not here find services of the first region alone. Let them call the balancer.",
    "37": _EVENTS,
    "38": "Keys, documents and secrets stay where they were made first. Ask for the second region before that.",
}

_EDGE: Mapping[str, str] = {
    "01": "Some paths fit two operations, and the gateway chooses which takes them. Rename one.",
    "02": _LEGACY,
    "03": "A request that names a version that there is not gets the lowest one, not 400. Istio refuses it.",
    "04": "An operation is not served, as no rule can rewrite its path. Write an HTTPRoute of your own.",
    "05": "A rate limit does not hold. Add one of the gateway's own kind; services count nothing.",
    "06": "The query of an operation is not changed; the service sees it as it came.",
    "07": "Bodies are measured by the services only, which refuse what is larger than declared.",
    "08": "Answers are not compressed. A content delivery network can do it.",
    "09": "The gateway answers to its names only. Say which: `hosts`.",
    "10": "What the gateway refuses has a status only: no problem document. Clients must not rely on its body.",
    "11": "What a client says in `x-forwarded-for` is passed on, before what the gateway saw. Believe its last entry.",
    "12": "Names of headers with underscores are passed on, which some servers take for hyphens.",
    "13": "Compressed bodies come through, and sockets where there are none. Istio's policy refuses them.",
    "14": "Clients may say a header that was to be taken away. Take away fewer, or take Istio's gateway.",
    "15": "Traces begin in the gateway only where it has a provider of traces. Name one in Istio's configuration.",
    "16": "How a path is spelled is up to the gateway, which may not take `//orders` for `/orders`.",
    "17": "Answers keep headers that were to be taken away, since a rule removes a limited number. Take away fewer.",
}

_MESH: Mapping[str, str] = {
    "01": "There is no mesh: calls are not encrypted, and the network alone tells callers apart. Take one: `mesh`.",
    "02": 'The gateway is no part of the mesh, which refuses it. Say `gateway_class = "istio"`.',
    "03": "Requests are not kept together by a parameter of the path, which Istio does not read. Hash by a header.",
    "04": "Replicas are asked for their health by the kubelet, not by callers. Readiness decides who gets requests.",
    "05": "A service does not shed load before its bound of requests. Lower the bound, or let more replicas run.",
    "06": "The gateway cannot fetch the keys of an issuer, and services verify its tokens. Expose its keys.",
    "07": "The gateway cannot read a file with keys, and services verify these tokens. Give the keys by URL.",
    "08": "Keys of consumers are verified by the services, not by the gateway.",
    "09": "What is asked of claims that are no texts is judged by the service.",
    "10": "A policy reads the `*` of a path as any text. Choose another path.",
    "11": "Tokens are verified by the services only. Take a gateway that verifies them, too.",
    "12": "A service asks for what Linkerd does not have. Take Istio, or do without.",
    "13": "A path may be spelled with `%`, and then be taken for another one. Use plain letters in paths.",
    "14": "The gateway's policy refuses before a route is looked for, so 403 may stand for another status.",
    "15": "A token that is not valid is refused everywhere, also where nobody has to be signed in.",
    "16": "The gateway takes tokens that never expire; services refuse them.",
    "17": "Where Istio is installed by default, `//orders` is not `/orders`. Set its normalization of paths.",
    "19": "Services do not learn who calls them: a waypoint keeps that to itself. Who was signed in is in the token.",
    "20": "A call that nobody has declared may get 404 from the caller's proxy, not 403. It does not pass.",
    "21": "What a caller writes into `x-forwarded-client-cert` stays there. Believe its last entry only.",
    "22": "Linkerd's proxies end no call that takes too long; services do, by the policy of the operation.",
    "23": "Linkerd refuses with 404 what no route fits. Nothing passes in either case.",
    "24": "Services do not learn who calls them, as Linkerd says it in a header of its own.",
    "25": "Too many paths lie beside an operation for Linkerd to tell them apart. Take Istio, or other paths.",
}

_KUBERNETES: Mapping[str, str] = {
    "ENGINE-01": _ENGINE,
    "ENGINE-02": "The environment's file places an engine in the cluster that cannot be there.",
    "ENGINE-03": "OpenSearch in the cluster knows no users: whoever reaches it reads every index.",
    "ENGINE-04": "Others are expected to run an engine. Its address is among the environment's secrets.",
    "ENGINE-05": "There is no backup of PostgreSQL. Say where it is kept: `[storage] backup`.",
    "FAULT-01": "The environment's file strikes a call that nobody declares. Name one that is.",
    "FAULT-02": "A fault does not strike: only Istio in the caller's pod can.",
    "MONITOR-01": "Nobody reads the metrics of services in this mesh. Let them be sent: `OTEL_METRICS_EXPORTER=otlp`.",
    "REACH-01": "The environment's file says where something is that nobody uses.",
    "REACH-02": "An engine of others is reached on the internet only. Say where it is: `[reach]`.",
    "SCALE-01": "A service that hears events is scaled by CPU and memory, not by what waits. Add a trigger of KEDA.",
    "SCALE-02": "Nobody says where NATS tells what waits, so services stay few. Patch their ScaledObjects.",
    "SCHEDULE-01": "A schedule runs in a replica, since no CronJob comes as it does. Choose one that divides a day.",
    "SECRET-01": "The environment's file asks for a secret that no service reads.",
    "SETTING-01": _LACKS,
    "SETTING-02": _NOBODY,
    "SIZE-01": "The environment's file gives a size or a digest to a service that there is not.",
    "SPLIT-01": "The environment's file divides the requests of a service that there is not.",
    "SPLIT-02": "Only requests from the gateway are divided: other services reach both versions alike. Take Istio.",
}

TOLD: Mapping[str, str] = {
    f"DEPLOY-{before}{number}": text
    for before, texts in (
        ("AWS-", _AWS),
        ("AZURE-", _AZURE),
        ("GCP-", _GCP),
        ("EDGE-", _EDGE),
        ("MESH-", _MESH),
        ("", _KUBERNETES),
    )
    for number, text in texts.items()
}
"""Code → what it says and what to do."""
