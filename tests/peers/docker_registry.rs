//! Docker's registry without any authentication of its own, behind nginx that asks the portal; driven by skopeo.

use crate::house::House;
use crate::image;
use crate::on_both;
use crate::programs::{Proxy, Registry, skopeo_does, skopeo_fails};

on_both![images_are_pushed_by_who_may_write_and_pulled_by_who_may_read];

fn images_are_pushed_by_who_may_write_and_pulled_by_who_may_read(house: House) {
    let mut ada = house.user("ada", "repository-manager");
    let (own, other) = (ada.repository("payments"), ada.repository("reports"));
    let (reads, writes) = (ada.token("reads", "read"), ada.token("writes", "write"));
    let registry = Registry::start("");
    let server = ada.integration("payments", "nginx").replace("127.0.0.1:9000", &registry.host);
    let proxy = Proxy::nginx(&format!("client_max_body_size 0;\nproxy_request_buffering off;\n{server}"));
    let image = image::make(&house.folder("image"), "hello\n");
    let pulled = format!("dir:{}", house.folder("pulled").display());
    let address = format!("docker://{}/team/hello:1.0", proxy.host());
    let certificates = proxy.certificates().to_string_lossy().into_owned();
    let push = |who: &str| {
        let arguments = ["copy", "--dest-cert-dir", &certificates, "--dest-creds", who, &image, &address];
        arguments.map(str::to_owned)
    };
    let pull = |who: &str| {
        let arguments = ["copy", "--src-cert-dir", &certificates, "--src-creds", who, &address, &pulled];
        arguments.map(str::to_owned)
    };
    let (reads_as, writes_as) = (format!("ada:{}", reads.secret), format!("ada:{}", writes.secret));

    let refused = skopeo_fails(&push(&reads_as));
    assert!(refused.contains("StatusCode: 403"), "{refused}");
    for bad in ["ada:thp_nonsense", &format!("eve:{}", writes.secret), &format!("reports:{other}")] {
        skopeo_fails(&push(bad));
    }
    skopeo_fails(&pull(&writes_as)); // nothing came through
    skopeo_does(&push(&writes_as));
    skopeo_does(&pull(&reads_as));
    assert!(house.folder("pulled").join("manifest.json").is_file());
    skopeo_does(&push(&format!("payments:{own}")));
    skopeo_fails(&["copy", "--src-cert-dir", &certificates, "--src-no-creds", &address, &pulled].map(str::to_owned));

    ada.revoke(&reads);
    skopeo_fails(&pull(&reads_as));
    skopeo_does(&pull(&writes_as));

    let secrets = [own, reads.secret, writes.secret];
    for log in [registry.log(), proxy.log(), house.log()] {
        assert!(secrets.iter().all(|secret| !log.contains(secret)), "{log}");
    }
}
