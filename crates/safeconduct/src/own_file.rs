//! `config.file`: checked at each start, and applied in the name of a key where the operator wants it so.

use crate::{House, StartError};

pub(crate) async fn follow(house: &House) -> Result<(), StartError> {
    let settings = &house.config.config;
    let Some(path) = &settings.file else { return Ok(()) };
    let variable = |name: &str| house.config.environment.get(name).map(str::to_owned);
    let file = house.declare.read_own_file(path, variable)?;
    let Some(key) = &settings.key else { return Ok(()) };
    let holder = house.declare.holder_of(&file, &house.door, key).await?;
    let path = path.display();
    if settings.auto_apply {
        let applied = house.declare.apply_own_file(&file, &house.door, holder, settings.prune);
        // Boxed: whoever starts a server would carry it.
        Box::pin(applied).await?;
        tracing::info!(%path, "what is there is as the file of configuration says");
        return Ok(());
    }
    let planned = house.declare.plan_own_file(&file, &house.door, holder, settings.prune);
    match Box::pin(planned).await? {
        0 => tracing::info!(%path, "what is there is as the file of configuration says"),
        changes => tracing::warn!(%path, changes, "the file of configuration says otherwise; apply it"),
    }
    Ok(())
}
